"""What the policies ask of a plan again and again."""

import json


def kept(tf_plan, kind):
    """The resources of that type that will be there after the apply."""
    return [resource for resource in tf_plan.resources(type=kind) if resource.after is not None]


def statements(tf_plan, kind, attribute="policy"):
    """Each `Allow` statement of the IAM documents in that attribute, with the address it is at."""
    for resource in kept(tf_plan, kind):
        found = json.loads(resource.after[attribute] or "{}").get("Statement", [])
        for statement in [found] if isinstance(found, dict) else found:
            if statement["Effect"] == "Allow":
                yield resource.address, statement


def listed(value):
    """IAM takes one string for a list of one."""
    return [value] if isinstance(value, str) else list(value)
