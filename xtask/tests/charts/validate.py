"""Reads manifests in JSON, one a line, and prints what Kubernetes' schemas refuse."""

import json
import sys

import kubernetes_validate

VERSION = sys.argv[1]

for line in sys.stdin:
    document = json.loads(line)
    name = "{kind}/{name}".format(kind=document["kind"], name=document["metadata"]["name"])
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        print(f"{name}: {error.message} at {error.path}")
    except kubernetes_validate.SchemaNotFoundError:
        print(f"{name}: no schema")
