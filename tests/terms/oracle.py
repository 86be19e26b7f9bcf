"""A second reading of docs/format/13-terms.md, over JSON alone.

It knows nothing of `terms` and works the other way round: it settles each layer's answer to each
act by itself, and then takes the strictest. It gives the decision only.
"""

from typing import TypedDict, cast

RANK = {"PERMIT": 0, "ASK": 1, "DENY": 2}
MUST_SPEAK = {"agreement", "standing_terms", "originator", "consent"}
ENTAILED = {
    "disclose_to_defence": ["use_as_lead"],
    "use_as_evidence": ["disclose_to_defence", "use_as_lead"],
    "use_in_public_hearing": ["use_as_evidence", "disclose_to_defence", "use_as_lead"],
    "share_derived": ["derive"],
}
CLASSES = {
    "COMPETENT_JURISDICTION": {"NATIONAL_PROSECUTOR", "INTERNATIONAL_COURT"},
    "ACCOUNTABILITY": {
        "STRUCTURAL_INVESTIGATION",
        "CASE_BUILDING",
        "CRIMINAL_INVESTIGATION",
        "CRIMINAL_PROSECUTION",
    },
}
JUSTICE = [
    "use_as_lead",
    "use_as_evidence",
    "disclose_to_defence",
    "share_derived",
    "share_onward",
    "use_in_public_hearing",
]
FOR_JUSTICE = CLASSES["ACCOUNTABILITY"] | {
    "HUMAN_RIGHTS_INQUIRY",
    "MISSING_PERSONS",
    "REPARATION",
}
TO_WHOM = dict.fromkeys(
    ["review", "index", "forward", "analyse", "translate", "derive", "anonymise"],
    "MECHANISM",
) | {"return": "PROVIDER", "contact_source": "PROVIDER", "publish": "PUBLIC"}

Fact = str | list[str] | None


class Claim(TypedDict):
    left: str
    operator: str
    right: list[str]


class RuleForm(TypedDict):
    uid: str
    effect: str
    actions: list[str]
    constraints: list[Claim]
    duties: list[str]
    valid_to: str | None


class LayerForm(TypedDict):
    kind: str
    uid: str
    version: int
    party: str
    rules: list[RuleForm]
    valid_from: str | None
    valid_to: str | None
    conditions_survive: list[str]


class TermsForm(TypedDict):
    layers: list[LayerForm]
    consent_exempt_reason: str | None


class ApprovalForm(TypedDict):
    layer_kind: str
    layer_uid: str
    layer_version: int
    rule_uid: str
    answered_by: str
    party: str
    reply: str
    actions: list[str]
    recipient: str
    recipient_kind: str
    country: str | None
    purpose: str
    items: list[str]
    answered_on: str
    until: str


def decide(terms: TermsForm, facts: dict[str, Fact], approvals: list[ApprovalForm]) -> str:
    action = facts["action"]
    assert isinstance(action, str)
    kinds = {layer["kind"] for layer in terms["layers"]}
    if not kinds & {"agreement", "standing_terms"}:
        return "DENY"
    if "consent" not in kinds and terms["consent_exempt_reason"] is None:
        return "DENY"
    answers = [floor(action, facts, approvals)]
    for act in [action, *ENTAILED.get(action, [])]:
        answers += [one_layer(layer, act, facts, approvals) for layer in terms["layers"]]
    return max(answers, key=RANK.__getitem__)


def floor(act: str, facts: dict[str, Fact], approvals: list[ApprovalForm]) -> str:
    purpose, kind = facts["purpose"], facts["recipient_kind"]
    if act in {"archive", "delete"}:
        return "PERMIT"
    is_never = purpose in {None, "IMMIGRATION", "INTELLIGENCE", "TERRORISM_ONLY"}
    if act in TO_WHOM:
        return "DENY" if is_never or kind != TO_WHOM[act] else "PERMIT"
    serves = purpose in (FOR_JUSTICE if act in JUSTICE else {"MISSING_PERSONS"})
    if not serves or facts["death_penalty"] != "NO" or facts["fair_trial"] != "MET":
        return "DENY"
    if facts["in_absentia"] == "NO":
        return "PERMIT"
    return reply(("mandate", "mandate", 1, "in-absentia", "head"), act, facts, approvals)


def one_layer(
    layer: LayerForm,
    act: str,
    facts: dict[str, Fact],
    approvals: list[ApprovalForm],
) -> str:
    start, end, today = layer["valid_from"], layer["valid_to"], facts["date"]
    assert not isinstance(today, list)
    if act != "archive" and start and (today is None or today < start):
        return "DENY"
    survives = act == "archive" or act in layer["conditions_survive"]
    if not survives and end and (today is None or today > end):
        return "DENY"
    certain: list[str] = []
    possible: list[str] = []
    for rule in layer["rules"]:
        claims = [*rule["constraints"]]
        if rule["valid_to"]:
            claims.append({"left": "date", "operator": "lteq", "right": [rule["valid_to"]]})
        truths = [holds(claim, facts[claim["left"]]) for claim in claims]
        if act not in rule["actions"] or False in truths:
            continue
        effect = rule["effect"]
        if effect == "ASK":
            named = (layer["kind"], layer["uid"], layer["version"], rule["uid"], layer["party"])
            effect = reply(named, act, facts, approvals)
        (possible if None in truths else certain).append(effect)
    default = "DENY" if layer["kind"] in MUST_SPEAK else "PERMIT"
    return max([*(certain or [default]), *possible], key=RANK.__getitem__)


def holds(claim: Claim, fact: Fact) -> bool | None:
    if fact is None:
        return None
    have, want = set([fact] if isinstance(fact, str) else fact), set(claim["right"])
    match claim["operator"]:
        case "eq" | "isAnyOf":
            return bool(have & want)
        case "neq" | "isNoneOf":
            return not have & want
        case "isA":
            return bool(have & CLASSES[claim["right"][0]])
        case relation:
            (day,), (bound,) = have, want
            order = (day > bound) - (day < bound)
            return order in {"lt": [-1], "lteq": [-1, 0], "gt": [1], "gteq": [0, 1]}[relation]


def reply(
    question: tuple[str, str, int, str, str],
    act: str,
    facts: dict[str, Fact],
    approvals: list[ApprovalForm],
) -> str:
    outcome = "ASK"
    for approval in approvals:
        of = (approval["layer_kind"], approval["layer_uid"], approval["layer_version"])
        named = (*of, approval["rule_uid"], approval["party"])
        capacity = "HEAD" if question[0] == "mandate" else "PARTY"
        if named != question or approval["answered_by"] != capacity:
            continue
        today = facts["date"]
        assert not isinstance(today, list)
        same = ["recipient", "recipient_kind", "purpose"]
        if approval["recipient_kind"] not in {"MECHANISM", "PROVIDER", "PUBLIC"}:
            same.append("country")
        told = cast("dict[str, str]", approval)
        scope = [
            *(None if facts[fact] is None else facts[fact] == told[fact] for fact in same),
            None if facts["item"] is None else facts["item"] in approval["items"],
            None if today is None else approval["answered_on"] <= today <= approval["until"],
        ]
        if act not in approval["actions"] or False in scope:
            continue
        if approval["reply"] in {"NO", "NO_REPLY"}:
            return "DENY"
        if approval["reply"] == "YES" and None not in scope:
            outcome = "PERMIT"
    return outcome
