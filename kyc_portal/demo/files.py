"""Sample files of the demo, all made up: a sanctions list, a VPN list, access logs, documents, a customer file."""

import io
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw

# Test networks that published databases use as examples; here one of them plays a VPN provider.
VPN_NETWORK = "81.2.69.0/24"
HOME_SWEDEN = "89.160.20.114"
HOME_GERMANY = "85.25.43.84"
COUNTRIES = Path(__file__).parent / "samples" / "country.mmdb"  # made up as well

# What an account is seen to do on a day.
READS = ("ListInstances", "DescribeInstances", "GetConsoleOutput", "DescribeImages")
WORK = (
    "RunInstances",
    "ListInstances",
    "CreateVolume",
    "DescribeInstances",
    "StopInstances",
    "GetConsoleOutput",
    "RunInstances",
)

SDN_ROWS = (
    '90001,"VOLKANOV, Anton Sergeyevich","individual","CYBER2",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    '"DOB 12 Mar 1979; nationality Ruritania; Email Address anton@volkanov.example; fictitious entry"',
    '90002,"BLACKFEN HOSTING LLC",-0- ,"CYBER2",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    '"Website blackfen.example; fictitious entry"',
    '90003,"CEDAR FALLS STEEL LLC",-0- ,"RUSSIA-EO14024",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"fictitious entry"',
)
LISTED_LATELY = (
    '90004,"HEGYES, Zoltan","individual","CYBER2",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    '"DOB 30 Nov 1981; nationality Ruritania; fictitious entry"',
)
ALT_ROWS = ('90001,91001,"aka","VOLKANOFF, Antoine",-0- ', '90002,91002,"aka","BLACK FEN SERVERS",-0- ')
ADD_ROWS = ('90003,92001,"1 Mill Road","Cedar Falls, IA 50613","United States",-0- ',)


def write_watchlist(folder: Path, *, complete: bool, newest: bool = False) -> Path:
    """A list in the official legacy layout with three made-up entries, or with the third only; or with a fourth."""
    folder.mkdir(parents=True, exist_ok=True)
    sdn, alt = (SDN_ROWS, ALT_ROWS) if complete else (SDN_ROWS[2:], ())
    sdn += LISTED_LATELY if newest else ()
    for name, rows in {"sdn.csv": sdn, "alt.csv": alt, "add.csv": ADD_ROWS, "sdn_comments.csv": ()}.items():
        (folder / name).write_text("".join(f"{row}\r\n" for row in rows), encoding="utf-8")
    return folder


def write_vpn_ranges(folder: Path) -> Path:
    """A list of networks, one a line."""
    path = folder / "vpn-demo.txt"
    path.write_text(f"# a made-up VPN provider\n{VPN_NETWORK}\n", encoding="utf-8")
    return path


def write_access_log(folder: Path, name: str, address: str, start: datetime, acts: Iterable[str]) -> Path:
    """A CloudTrail file of one day: an act every seven minutes from one address."""
    records = [
        {
            "eventID": f"demo-{name}-{number}",
            "eventTime": (start + timedelta(minutes=7 * number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventName": act,
            "eventSource": "compute.amazonaws.com",
            "awsRegion": "eu-north-1",
            "readOnly": act.startswith(("List", "Describe", "Get")),
            "sourceIPAddress": address,
            "userAgent": "demo-cli/1.0",
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::000000000000:user/operator"},
        }
        for number, act in enumerate(acts)
    ]
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"Records": records}, indent=1), encoding="utf-8")
    return path


def document_image(title: str, lines: Iterable[str]) -> io.BytesIO:
    """A picture that looks like the data page of a document; clearly marked as a specimen."""
    image = Image.new("RGB", (1000, 640), "#f4efe4")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 980, 620), outline="#8a7f66", width=3)
    draw.rectangle((60, 120, 330, 460), fill="#d8d0bd")
    draw.text((60, 50), title, fill="#333333", font_size=34)
    draw.text((560, 55), "SPECIMEN, MADE UP", fill="#a03020", font_size=26)
    for number, line in enumerate(lines):
        is_zone = "<<" in line
        place = (60, 500 + (number % 2) * 44) if is_zone else (370, 130 + number * 52)
        draw.text(place, line, fill="#222222", font_size=24 if is_zone else 26)
    file = io.BytesIO()
    image.save(file, "PNG")
    file.seek(0)
    return file


CUSTOMER_ROWS = (
    ("DEMO-2001", "individual", "Jonas Berglund", "SE", "jonas@berglund.example", "Kungsgatan 8, Stockholm", "SE"),
    ("DEMO-2002", "individual", "Chiara Benedetti", "IT", "chiara@benedetti.example", "Via Roma 12, Torino", "IT"),
    ("DEMO-2003", "individual", "Emeka Okafor", "NG", "emeka@okafor.example", "14 Broad Street, Lagos", "NG"),
)
