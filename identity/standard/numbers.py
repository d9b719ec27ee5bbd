"""Numbers of registers of many countries: what an open attribute of type `identifier` is checked by, by its name
(`siren` or `siren_number`).

Light on purpose: names of python-stdnum's modules, which are imported when a value is to be checked.
"""

from __future__ import annotations

from typing import Final

REGISTER_NUMBERS: Final = {
    # firms
    "abn": "au.abn", "acn": "au.acn", "bce": "be.vat", "brn": "kr.brn", "cif": "es.cif", "cnpj": "br.cnpj",
    "cui": "ro.cui", "cuit": "ar.cuit", "cvr": "dk.cvr", "edrpou": "ua.edrpou", "eik": "bg.vat", "gstin": "in_.gstin",
    "ico": "cz.dic", "idno": "md.idno", "nip": "pl.nip", "nit": "co.nit", "orgnr_no": "no.orgnr",
    "orgnr_se": "se.orgnr",
    "partita_iva": "it.iva", "regon": "pl.regon", "registrikood": "ee.registrikood", "rfc": "mx.rfc", "rnc": "do.rnc",
    "ruc_ec": "ec.ruc", "ruc_pe": "pe.ruc", "rut": "cl.rut", "siren": "fr.siren", "siret": "fr.siret",
    "steuernummer": "de.stnr", "ubn": "tw.ubn", "uen": "sg.uen", "uid": "ch.uid", "unp": "by.unp", "uscc": "cn.uscc",
    "vkn": "tr.vkn", "ytunnus": "fi.ytunnus",
    # persons
    "bsn": "nl.bsn", "codice_fiscale": "it.codicefiscale", "cpf": "br.cpf", "curp": "mx.curp", "dni": "es.dni",
    "egn": "bg.egn", "hetu": "fi.hetu", "nie": "es.nie", "nir": "fr.nir", "oib": "hr.oib",
    "personnummer": "se.personnummer",
    "pesel": "pl.pesel", "rntrc": "ua.rntrc", "steuer_id": "de.idnr", "tckimlik": "tr.tckimlik",
    # either
    "bic": "bic", "gln": "ean", "isin": "isin", "itin": "us.itin", "utr": "gb.utr",
}  # fmt: skip
"""Attribute -> module of python-stdnum."""

OWN_RULES: Final = frozenset({"bin", "iin", "duns"})
"""Attributes with a rule of our own: Kazakhstan's BIN and IIN, which python-stdnum lacks, and D-U-N-S, nine digits."""


def register_number(attribute: str) -> str | None:
    """The number that an attribute of this name holds, if it is one that can be checked."""
    name = attribute.removesuffix("_number")
    return name if name in REGISTER_NUMBERS or name in OWN_RULES else None
