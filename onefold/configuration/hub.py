"""`hub.yaml`: what holds for the whole hub."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from onefold.configuration.base import Currency, Duration, Labels, Language, Strict
from onefold.configuration.sources import ChangeLimits, Defaults


def _texts(value: Any) -> Any:
    values = value if isinstance(value, list) else [value]
    # An INN without quotes is a number to YAML.
    return [str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in values]


Texts = Annotated[
    list[str],
    BeforeValidator(_texts),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class OwnOrganisation(Strict):
    """One of the company's own firms: its records and its staff are never clients and never evidence."""

    name: str | None = None
    inn: Texts = Field(default_factory=list)
    kpp: Texts = Field(default_factory=list)
    ogrn: Texts = Field(default_factory=list)
    vat: Texts = Field(default_factory=list)
    lei: Texts = Field(default_factory=list)
    hrb: Texts = Field(default_factory=list)
    domain: Texts = Field(default_factory=list, description="E-mail addresses there belong to staff.")
    email: Texts = Field(default_factory=list)
    phone: Texts = Field(default_factory=list)

    def identifiers(self) -> dict[str, tuple[str, ...]]:
        """Identifier type -> values, without empty ones and without the name."""
        return {name: tuple(values) for name, values in self if name != "name" and values}


class Database(Strict):
    """Hints for the embedded server; a server of your own is named by ONEFOLD_DATABASE_URL, never here."""

    memory: str | None = Field(None, pattern=r"^\d+\s*(MB|GB)$", description="Memory the embedded server may use.")
    port: int | None = Field(None, ge=1024, le=65535, description="Fixed port on 127.0.0.1 for tools; else a free one.")


class Notifications(Strict):
    """Whom to tell, and of what."""

    email: Texts = Field(default_factory=list, description="Addresses; needs `smtp`.")
    smtp: str | None = Field(
        None,
        description="The mail server as smtp://user:password@host:587 (STARTTLS) or smtps://..., named as ${NAME}.",
        examples=["${SMTP_URL}"],
    )
    sender: str = Field("onefold@localhost", description="From whom mail comes.")
    webhook: str | None = Field(
        None,
        description="A URL named as ${NAME}: it is a secret. It takes JSON with `text`, as Slack and Mattermost do.",
        examples=["${ALERTS_WEBHOOK}"],
    )
    on: list[Literal["failure", "stopped", "stale", "review", "drift", "concern"]] = Field(
        default_factory=lambda: ["failure", "stopped", "stale", "concern"],  # type: ignore[arg-type]
        description="Of what. Concerns are those that concerns.yaml asks for: none without that file.",
    )


class SingleSignOn(Strict):
    """The company's own sign-in, by OpenID Connect: authorization code with PKCE."""

    issuer: str = Field(
        pattern=r"^(https://|http://(localhost|127\.0\.0\.1)(:|/|$))", description="As the provider names itself.",
        examples=["https://login.example.com/realms/staff"],
    )  # fmt: skip
    client_id: str = Field(min_length=1, description="By which the provider knows this hub.")
    client_secret: str = Field(
        pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$", description="Named as ${NAME}: it is a secret.",
        examples=["${OIDC_SECRET}"],
    )  # fmt: skip
    scopes: Texts = Field(
        default_factory=lambda: ["openid", "email", "profile"], description="What is asked for; `openid` is among them."
    )
    login: str = Field("email", description="The claim that is the login here; an e-mail must be verified.")
    roles_claim: str = Field("groups", description="The claim that `roles` speaks of.")
    roles: dict[str, Literal["reader", "steward", "admin"]] = Field(
        default_factory=dict,
        description="A value of that claim -> the role that it gives at each sign-in, the highest of several. "
        "Empty: roles are given here, by `onefold user`.",
    )
    creates_readers: bool = Field(
        False, description="Whom nobody knows here becomes a reader who sees masks; else they are refused."
    )

    @model_validator(mode="after")
    def _asks_who_it_is(self) -> SingleSignOn:
        if "openid" not in self.scopes:
            raise ValueError("`scopes` needs `openid`: without it the provider does not say who somebody is")
        return self


class Console(Strict):
    """How people come in."""

    address: str | None = Field(
        None, pattern=r"^https?://[^/]+$", description="Where people reach the console; needed for `oidc`.",
        examples=["https://hub.example.com"],
    )  # fmt: skip
    passwords: bool = Field(
        True, description="Off: nobody signs in with a password kept here; links of `user link` do."
    )
    oidc: SingleSignOn | None = None

    @model_validator(mode="after")
    def _has_its_address(self) -> Console:
        if self.oidc is not None and self.address is None:
            raise ValueError("`oidc` needs `address`: the provider sends people back to it")
        return self


class Retention(Strict):
    """How long what is superseded is kept; absent: for ever."""

    raw_versions: Duration | None = None
    rejects: Duration | None = None
    runs: Duration | None = None
    change_events: Duration | None = Field(
        None, description="The change feed, as far as all its registered readers have read it."
    )
    unread_change_events: Duration | None = Field(
        None, description="The change feed, whether a registered reader has read it or not; absent: it waits for them."
    )
    access_log: Duration | None = None


class HubLimits(ChangeLimits):
    """What a run may change before it is held; null: any share. None applies to a first load."""

    deleted: float | None = Field(0.2, ge=0, le=1, description="Share of a stream's records that may be deleted.")
    emptied: float | None = Field(
        0.5, ge=0, le=1, description="Share of a field's values that may become empty in a stream, for each field."
    )
    changed: float | None = Field(
        0.5, ge=0, le=1, description="Share of the clients whose golden values may change at once."
    )
    merged: float | None = Field(0.1, ge=0, le=1, description="Share of the clients that may be merged or split.")
    largest_client: int | None = Field(
        500, ge=2, description="Records that a client may grow to; one that was larger before may grow on."
    )


class SecondApprover(Strict):
    """From which decisions on a second person is asked; above either of the two."""

    records: int | None = Field(None, ge=2, description="Records of the clients that a decision touches.")
    interactions: int | None = Field(None, ge=0, description="Interactions of the clients that it touches.")


class Repeats(Strict):
    """Decided cases that are asked once more, without saying so: how often answers agree tells how good they are."""

    share: float = Field(0.02, ge=0, le=0.5, description="Share of the decided cases; 0: none.")
    after: Duration = Field(
        timedelta(days=30), validate_default=True,
        description="When who decided a case may be asked again; others are asked at once.",
    )  # fmt: skip


class Review(Strict):
    """How review cases are decided."""

    second_approver: Literal["always"] | SecondApprover | None = Field(
        None, description="Which decisions wait until another person confirms them; absent: none."
    )
    repeats: Repeats = Repeats()  # type: ignore[call-arg]


class SparkSettings(Strict):
    """Where `engine: spark` computes."""

    master: str = Field(
        "local[*]", min_length=1, description="As Spark names it; local[*]: on all cores of this machine.",
        examples=["spark://cluster:7077", "yarn", "k8s://https://cluster:6443"],
    )  # fmt: skip
    folder: str | None = Field(
        None,
        description="A folder of this hub alone that this machine and every executor see under the same name; "
        "absent: one in the hub's home, which is enough where all executors are on this machine.",
    )
    settings: dict[str, str] = Field(
        default_factory=dict, description="Spark's own settings.", examples=[{"spark.executor.memory": "8g"}]
    )


class HubConfiguration(Strict):
    """The hub as a whole. Every key may be left out."""

    title: Labels | None = Field(None, description="The company's name for people.")
    languages: list[Language] = Field(default_factory=lambda: ["en", "ru"], min_length=1)
    grain: Literal["legal_entity", "establishment"] = Field(
        "legal_entity",
        description="What one client organisation is: INN alone, or INN + KPP (VAT, or VAT + site).",
    )
    own_organisations: list[OwnOrganisation] = Field(default_factory=list)
    staff_addresses: Texts = Field(
        default_factory=list, description="E-mail addresses and phones of staff outside the own domains."
    )
    reporting_currency: Currency = "EUR"
    rate_days: int = Field(
        14, ge=0, le=366, description="For how many days after its own an exchange rate holds; then there is none."
    )
    defaults: Defaults = Field(
        default=Defaults(),  # type: ignore[call-arg]
        description="For every source that does not say otherwise.",
    )
    engine: Literal["local", "spark"] = Field(
        "local", description="What compares a whole register: this machine, or Apache Spark (extra `spark`)."
    )
    spark: SparkSettings = SparkSettings()  # type: ignore[call-arg]
    memory: str | None = Field(
        None,
        pattern=r"^\d+\s*(MB|GB)$",
        description="A whole register whose comparison would take more memory of this machine is compared in parts, "
        "with the rest on disk; from 1 GB on. Absent: always in memory. With `engine: spark` what one Python process "
        "of an executor may take; absent: some 1.6 GB.",
    )
    limits: HubLimits = HubLimits()  # type: ignore[call-arg]
    database: Database = Database()  # type: ignore[call-arg]
    notifications: Notifications = Notifications()  # type: ignore[call-arg]
    console: Console = Console()  # type: ignore[call-arg]
    retention: Retention = Retention()  # type: ignore[call-arg]
    review: Review = Review()  # type: ignore[call-arg]
    row_security: bool = Field(
        False, description="Readers see only what is of the departments that `onefold db grant` gave them."
    )
    schedule: str | None = Field(
        None,
        description="Cron: when `run --due` reads sources without a schedule of their own; in DAGs, when they publish.",
    )
