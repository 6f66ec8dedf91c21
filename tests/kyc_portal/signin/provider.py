"""A small OpenID provider that really runs: discovery, keys, code flow with PKCE, signed ID tokens."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "portal", "a secret of the portal and the provider"


class Provider:
    """Started by `with`; `claims` are what it says of whoever logs in, `changes` what it gets wrong on purpose."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signing_key, self.key_id, self.named_key = self.key, "key-1", "key-1"
        self.claims, self.changes, self.codes, self.asked = {}, {}, {}, {}

    def __enter__(self):
        self.server = ThreadingHTTPServer(("localhost", 0), self._handler())
        self.url = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()

    def configuration(self) -> dict:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def keys(self) -> dict:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**key, "kid": self.key_id, "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked: dict) -> str:
        """The person is logged in at once; returns where the browser is sent."""
        self.asked = asked
        code = secrets.token_urlsafe()
        self.codes[code] = asked["code_challenge"]
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, given: dict) -> dict | None:
        """What the code is worth; None when client, code or verifier do not fit."""
        challenge = self.codes.pop(given.get("code"), None)
        verifier = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() != challenge:
            return None
        if (given.get("client_id"), given.get("client_secret")) != (CLIENT, SECRET):
            return None
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, "auth_time": now}
        claims |= {"email_verified": True} | self.claims | self.changes
        algorithm = "RS256" if self.signing_key else "none"
        token = jwt.encode(
            claims, self.signing_key, algorithm=algorithm, headers={"kid": self.named_key} if self.named_key else {}
        )
        return {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": token}

    def _handler(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                if parts.path == "/authorize":
                    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(asked))
                    self.end_headers()
                else:
                    self.tell(provider.keys() if parts.path == "/keys" else provider.configuration())

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.tell(provider.token({name: values[0] for name, values in parse_qs(body).items()}))

            def tell(self, answer):
                self.send_response(200 if answer else 400)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(answer or {"error": "invalid_grant"}).encode())

            def log_message(self, *told):
                """Nothing."""

        return Handler
