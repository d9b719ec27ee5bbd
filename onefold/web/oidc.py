"""Signing in where the company's people sign in: OpenID Connect, by authorization code with PKCE, state and nonce.

What belongs to one attempt stays in the browser that began it, in a cookie of a few minutes; the provider's answer
counts in that browser only, and once: the code is worth nothing a second time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from onefold.configuration.errors import SecretMissing
from onefold.configuration.secrets import environment, resolve_secrets
from onefold.errors import OnefoldError
from onefold.steps.accounts import new_secret

if TYPE_CHECKING:
    import httpx

    from onefold.configuration.hub import SingleSignOn
    from onefold.context import Context

BACK: Final = "/oidc/back"
_LOG: Final = logging.getLogger(__name__)
_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_PATIENCE: Final = 10.0
_LEEWAY: Final = 60
"""Seconds by which the provider's clock may differ from ours."""


class NotVouchedFor(OnefoldError):
    """The provider did not say who this is, or not in a way that counts."""


class Attempt(msgspec.Struct, frozen=True):
    """What one browser began."""

    state: str
    nonce: str
    verifier: str
    to: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who somebody is, as the provider says."""

    login: str
    roles: tuple[str, ...]
    """Those that the claims give here; empty: none."""


class Provider:
    """The provider of this hub's configuration. NotVouchedFor: its secret is not in the environment."""

    def __init__(self, context: Context, settings: SingleSignOn, address: str) -> None:
        self._settings, self._address = settings, address
        environ = environment(context.settings.config, context.environ)
        try:
            self._secret = resolve_secrets({"it": settings.client_secret}, environ)["it"]
        except SecretMissing as error:
            _LOG.error("single sign-on: %s", error)
            raise NotVouchedFor("The company's sign-in is not set up here: ask who runs the hub.") from None

    def begin(self, to: str) -> tuple[str, Attempt]:
        """Where to send the browser, and what it has to bring back. NotVouchedFor: the provider does not answer."""
        attempt = Attempt(new_secret(), new_secret(), new_secret(), to)
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        with self._client() as client:
            at = self._described(client)["authorization_endpoint"]
        url = prepare_grant_uri(
            at, self._settings.client_id, "code", redirect_uri=self._address + BACK,
            scope=" ".join(self._settings.scopes), state=attempt.state, nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier), code_challenge_method="S256",
        )  # fmt: skip
        return str(url), attempt

    def end(self, attempt: Attempt, answer: Mapping[str, str]) -> Vouched:
        """Who the provider says that it is. NotVouchedFor: it says no, or what it says does not hold."""
        import httpx
        from joserfc.errors import JoseError

        if answer.get("state") != attempt.state:
            raise NotVouchedFor("This sign-in was not begun in this browser, or is over: begin it again.")
        if "code" not in answer:
            raise NotVouchedFor("The company's sign-in has let nobody in.")
        said = {"code": answer["code"], "redirect_uri": self._address + BACK, "code_verifier": attempt.verifier}
        try:
            with self._client() as client:
                described = self._described(client)
                token = client.post(
                    described["token_endpoint"], data={"grant_type": "authorization_code", **said},
                    # The standard encodes both before they are joined.
                    auth=(quote(self._settings.client_id, safe=""), quote(self._secret, safe="")),
                ).raise_for_status().json()  # fmt: skip
                keys = client.get(described["jwks_uri"]).raise_for_status().json()
            claims = self._claims(str(token["id_token"]), keys, attempt.nonce)
        except (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, KeyError, TypeError) as error:
            _LOG.warning("single sign-on failed: %s", type(error).__name__)
            raise NotVouchedFor("What the company's sign-in answered does not hold; try again.") from None
        return self._vouched(claims)

    def _claims(self, id_token: str, keys: Any, nonce: str) -> Mapping[str, Any]:
        """The claims of a token that this provider signed, for this hub, for this attempt, and not long ago."""
        from joserfc import jwt
        from joserfc.jwk import KeySet

        found = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=_ALGORITHMS)
        asked: dict[str, Any] = {
            "iss": {"essential": True, "value": self._settings.issuer},
            "aud": {"essential": True, "value": self._settings.client_id},
            "nonce": {"essential": True, "value": nonce},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "iat": {"essential": True},
        }
        jwt.JWTClaimsRegistry(leeway=_LEEWAY, **asked).validate(found.claims)
        if found.claims.get("azp", self._settings.client_id) != self._settings.client_id:
            raise ValueError("a token for another party")
        return found.claims

    def _vouched(self, claims: Mapping[str, Any]) -> Vouched:
        login = claims.get(self._settings.login)
        if not isinstance(login, str) or not 0 < len(login) <= 100 or not login.isprintable():
            raise NotVouchedFor(f"The company's sign-in does not say the claim `{self._settings.login}`.")
        if self._settings.login == "email" and claims.get("email_verified") is not True:
            raise NotVouchedFor("The company's sign-in has not verified this e-mail address.")
        said = claims.get(self._settings.roles_claim)
        groups = said if isinstance(said, list) else [said]
        known = self._settings.roles
        return Vouched(login, tuple(known[one] for one in groups if isinstance(one, str) and one in known))

    def _client(self) -> httpx.Client:
        import httpx

        return httpx.Client(timeout=_PATIENCE)

    def _described(self, client: httpx.Client) -> Mapping[str, str]:
        """What the provider says about itself, if it is the one that was meant."""
        import httpx

        at = self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            found = client.get(at).raise_for_status().json()
            needed = {name: str(found[name]) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
            is_it = found["issuer"] == self._settings.issuer
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            _LOG.warning("the provider of single sign-on does not answer: %s", type(error).__name__)
            raise NotVouchedFor("The company's sign-in does not answer; try again in a moment.") from None
        if not is_it:
            raise NotVouchedFor("At `console.oidc.issuer` another provider answers than the one named there.")
        return needed
