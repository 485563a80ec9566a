"""What moto answers otherwise than AWS, so that every plan finds a change; mended in the emulator's process.

Each fix stands in for a method or property of moto and gets moto's own as its first argument; so what moto mends one
day stays mended. What a fix remembers is an attribute of moto's own object, and kept with it.
"""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import getattr_static, signature
from types import MappingProxyType
from typing import Any

_log = logging.getLogger(__name__)
_Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Fix:
    """`mended` in the place of `module:class.name`; moto's modules cost time, so they are named, not imported. What is
    `added` is there only as long as moto has nothing of that name."""

    module: str
    kind: str
    name: str
    mended: _Function
    added: bool = False

    def apply(self) -> None:
        """Put it there. Raises ImportError or AttributeError where moto has nothing there."""
        kind = getattr(importlib.import_module(self.module), self.kind)
        if self.added:
            if not hasattr(kind, self.name):
                setattr(kind, self.name, self.mended)
            return
        own: Any = getattr_static(kind, self.name)
        is_property = isinstance(own, property)
        around = self._around(own.fget if is_property else own)
        setattr(kind, self.name, property(around) if is_property else around)

    def _around(self, own: _Function) -> _Function:
        mended = self.mended

        @wraps(own)
        def around(*arguments: Any, **options: Any) -> Any:
            return mended(own, *arguments, **options)

        return around


def mend(fixes: Iterable[Fix]) -> None:
    """Apply each, once in the life of a process. Where another moto has nothing at that place, that is logged."""
    for fix in fixes:
        try:
            fix.apply()
        except (ImportError, AttributeError) as error:
            _log.warning("moto is not mended at %s.%s: %s", fix.kind, fix.name, error)


def _set_queue_attributes(own: _Function, queue: Any, attributes: Mapping[str, Any], *rest: Any) -> None:
    """SetQueueAttributes changes the attributes that it names; moto drops a policy that is not among them."""
    before = getattr(queue, "policy", None)
    own(queue, attributes, *rest)
    if "Policy" not in attributes:
        queue.policy = before


def _queue_attributes(own: _Function, queue: Any) -> dict[str, Any]:
    """GetQueueAttributes answers `{"deadLetterTargetArn":"...","maxReceiveCount":5}`; moto puts spaces into it, which
    the AWS provider takes for a change."""
    told: dict[str, Any] = own(queue)
    if queue.redrive_policy:
        told["RedrivePolicy"] = json.dumps(queue.redrive_policy, separators=(",", ":"))
    return told


def _create_function(own: _Function, function: Any, *arguments: Any, **options: Any) -> None:
    """A function keeps its `DeadLetterConfig`, and all that describes it tells of it; moto knows nothing of that."""
    own(function, *arguments, **options)
    function.dead_letters = signature(own).bind(function, *arguments, **options).arguments["spec"].get(_DEAD_LETTERS)


def _update_function(own: _Function, function: Any, config_updates: Mapping[str, Any]) -> Any:
    if _DEAD_LETTERS in config_updates:
        function.dead_letters = config_updates[_DEAD_LETTERS]
    return own(function, config_updates)


def _describe_function(own: _Function, function: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
    told: dict[str, Any] = own(function, *arguments, **options)
    dead_letters = getattr(function, "dead_letters", None) or {}
    # An empty target is how it is taken away.
    return told | {_DEAD_LETTERS: dead_letters} if dead_letters.get("TargetArn") else told


def _create_rule(own: _Function, rule: Any, *arguments: Any, **options: Any) -> None:
    """DescribeSecurityGroupRules has each rule's description, whatever it lets through; moto has it for address ranges
    only."""
    own(rule, *arguments, **options)
    given = signature(own).bind(rule, *arguments, **options).arguments
    rule.other_end = given.get("source_group") or given.get("prefix_list_id") or {}


def _rule_description(own: _Function, rule: Any) -> str | None:
    told: str | None = own(rule) or getattr(rule, "other_end", {}).get("Description")
    return told


def _serialize(own: _Function, response: Any, action_result: Any) -> Any:
    """GetBucketNotificationConfiguration has an empty `EventBridgeConfiguration` where that is on, and
    GetBucketReplication each rule's filter; moto leaves them out."""
    action, told = response._get_action(), action_result.result
    if action == "GetBucketNotificationConfiguration" and isinstance(told, dict):
        kept = response.backend.get_bucket_notification_configuration(response.bucket_name)
        if kept.event_bridge is not None:
            told["EventBridgeConfiguration"] = {}
    if action == "GetBucketReplication" and isinstance(told, dict):
        kept = response.backend.get_bucket_replication(response.bucket_name)["Rule"]
        rules = told["ReplicationConfiguration"]["Rules"]
        told["ReplicationConfiguration"]["Rules"] = list(map(_replicating, rules, kept))
    return own(response, action_result)


def _replicating(told: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """A replication rule as it was put; an older one has a prefix in the place of a filter."""
    rule = {name: value for name, value in told.items() if name not in _REPLICATING}
    rule |= {name: kept[name] for name in _REPLICATING if kept.get(name)}
    both = (rule.get("Filter") or {}).get("And")
    if both and "Tag" in both:
        tags = both["Tag"] if isinstance(both["Tag"], list) else [both["Tag"]]
        rule["Filter"] = {"And": {"Prefix": both.get("Prefix"), "Tags": tags}}
    return rule


def _bucket_permission(own: _Function, bucket: Any, *arguments: Any) -> Any:
    """Rights are not enforced here; moto reads a bucket policy without its conditions, so that the common "deny what
    does not come over TLS" would deny every object."""
    from moto.iam.access_control import PermissionResult

    found = own(bucket, *arguments)
    return PermissionResult.NEUTRAL if found == PermissionResult.DENIED else found


def _may_log(_own: _Function, *_arguments: Any, **_options: Any) -> bool:
    """Rights are not enforced here, and PutBucketLogging asks for none that a policy elsewhere could give."""
    return True


def _create_service(own: _Function, response: Any) -> Any:
    """A service tells how it rebalances, and "DISABLED" where nothing was said; moto tells of it after an update
    only."""
    made = own(response)
    said = response._get_param("availabilityZoneRebalancing")
    made.result["service"].availability_zone_rebalancing = said or "DISABLED"
    return made


def _start_tasks(own: _Function, service: Any, *arguments: Any, **options: Any) -> None:
    """A service's tasks run at once; in moto they are pending for ever, and whoever waits for a steady state too."""
    own(service, *arguments, **options)
    service.running_count, service.pending_count = service.desired_count, 0
    for one in service.deployments:
        one |= {"runningCount": service.desired_count, "pendingCount": 0, "rolloutState": "COMPLETED"}
        one["rolloutStateReason"] = f"ECS deployment {one['id']} completed."


def _validate_state_machine(response: Any) -> Any:
    """ValidateStateMachineDefinition is asked by every plan of a state machine; moto does not have it. What is said of
    a definition here is whether it begins in one of its states."""
    from moto.core.responses import ActionResult

    problem = _problem_of(response._get_param("definition"))
    told = [{"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": problem, "location": "/"}]
    return ActionResult(
        {"result": "FAIL" if problem else "OK", "diagnostics": told if problem else [], "truncated": False}
    )


def _problem_of(definition: object) -> str | None:
    try:
        machine = json.loads(str(definition))
    except ValueError as error:
        return f"The definition is not JSON: {error}"
    if not isinstance(machine, dict) or not isinstance(machine.get("States"), dict):
        return "The definition has no States"
    start = machine.get("StartAt")
    return None if start in machine["States"] else f"StartAt names {start!r}, which is none of the States"


_REPLICATING = ("DeleteMarkerReplication", "Filter", "Prefix", "SourceSelectionCriteria")
_DEAD_LETTERS = "DeadLetterConfig"
_BUCKET = ("moto.s3.models", "FakeBucket")
_FUNCTION = ("moto.awslambda.models", "LambdaFunction")
_QUEUE = ("moto.sqs.models", "Queue")
_SERVICE = ("moto.ecs.models", "Service")
_RULE = ("moto.ec2.models.security_groups", "SecurityGroupRule")

#: The fixes of each service, by the name that moto has for it.
FIXES: Mapping[str, tuple[Fix, ...]] = MappingProxyType(
    {
        "ec2": (Fix(*_RULE, "__init__", _create_rule), Fix(*_RULE, "description", _rule_description)),
        "awslambda": (
            Fix(*_FUNCTION, "__init__", _create_function),
            Fix(*_FUNCTION, "update_configuration", _update_function),
            Fix(*_FUNCTION, "get_configuration", _describe_function),
        ),
        "ecs": (
            Fix("moto.ecs.responses", "EC2ContainerServiceResponse", "create_service", _create_service),
            Fix(*_SERVICE, "__init__", _start_tasks),
        ),
        "s3": (
            Fix("moto.s3.responses", "S3Response", "serialized", _serialize),
            Fix(*_BUCKET, "get_permission", _bucket_permission),
            Fix(*_BUCKET, "_log_permissions_enabled_policy", _may_log),
        ),
        "stepfunctions": (
            Fix(
                "moto.stepfunctions.responses",
                "StepFunctionResponse",
                "validate_state_machine_definition",
                _validate_state_machine,
                added=True,
            ),
        ),
        "sqs": (Fix(*_QUEUE, "_set_attributes", _set_queue_attributes), Fix(*_QUEUE, "attributes", _queue_attributes)),
    }
)
