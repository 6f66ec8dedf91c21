"""Events of the cloud formats, made up by the layouts their makers document."""

import json

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"


def exported(**changes) -> dict:
    """An Azure activity as Monitor exports it."""
    event = {
        "time": "2026-03-01T10:00:01.1234567Z",
        "resourceId": f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/RESOURCEGROUPS/ONE/PROVIDERS/MICROSOFT.COMPUTE/VMS/A",
        "operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
        "category": "Administrative",
        "resultType": "Start",
        "callerIpAddress": "203.0.113.7",
        "correlationId": "c-1",
        "identity": {"claims": {UPN: "anna@customer.example"}},
        "location": "global",
    }
    return {**event, **changes}


def listed(**changes) -> dict:
    """The same as the REST interface lists it."""
    event = {
        "eventDataId": "d-1",
        "eventTimestamp": "2026-03-01T10:00:01.1234567Z",
        "operationName": {"value": "Microsoft.Compute/virtualMachines/write", "localizedValue": "Create"},
        "category": {"value": "Administrative"},
        "caller": "anna@customer.example",
        "httpRequest": {"clientIpAddress": "203.0.113.7", "method": "PUT"},
        "subscriptionId": SUBSCRIPTION,
        "claims": {"ipaddr": "198.51.100.9"},
    }
    return {**event, **changes}


def entry(payload: dict | None = None, log: str = "activity", **changes) -> dict:
    """An entry of a Google Cloud audit log; `payload` changes its protoPayload."""
    base = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": "compute.googleapis.com",
        "methodName": "v1.compute.instances.insert",
        "authenticationInfo": {"principalEmail": "anna@customer.example"},
        "requestMetadata": {"callerIp": "203.0.113.7", "callerSuppliedUserAgent": "example/1.0"},
    }
    event = {
        "protoPayload": {**base, **(payload or {})},
        "insertId": "i-1",
        "resource": {"type": "gce_instance", "labels": {"project_id": "one", "zone": "a-b1"}},
        "timestamp": "2026-03-01T10:00:01.123456789Z",
        "logName": f"projects/one/logs/cloudaudit.googleapis.com%2F{log}",
    }
    return {**event, **changes}


def cadf_event(**changes) -> dict:
    event = {
        "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
        "eventType": "activity",
        "id": "openstack:e-1",
        "eventTime": "2026-03-01T10:00:01.123456+0000",
        "action": "create",
        "outcome": "success",
        "initiator": {
            "typeURI": "service/security/account/user",
            "id": "u-1",
            "name": "anna",
            "host": {"address": "203.0.113.7", "agent": "example/1.0"},
            "project_id": "p-1",
        },
        "target": {"id": "t-1"},
    }
    return {**event, **changes}


def enveloped(event: dict, *, as_text: bool = True) -> dict:
    """A CADF event as oslo.messaging sends it."""
    message = {"message_id": "m", "publisher_id": "identity.host", "event_type": "audit.http.request", "payload": event}
    return {"oslo.version": "2.0", "oslo.message": json.dumps(message)} if as_text else message


def trail(**changes) -> dict:
    event = {
        "eventID": "t-1", "eventTime": "2026-03-01T10:00:01Z", "eventName": "RunInstances",
        "eventSource": "ec2.amazonaws.com", "sourceIPAddress": "203.0.113.7", "recipientAccountId": "000000000000",
    }  # fmt: skip
    return {**event, **changes}


def own(**changes) -> dict:
    event = {
        "event_id": "e-1", "at": "2026-03-01T10:00:01Z", "kind": "access", "action": "vm.start",
        "principal": "user:anna", "source": "203.0.113.7", "source_system": "console",
    }  # fmt: skip
    return {**event, **changes}
