"""Short names of contracts on a page: only as long as it takes to tell those on it apart."""

from collections.abc import Iterable

from app.domain import wording
from app.domain.contracts import Contract, ContractKey


def contract_label(contract: Contract) -> str:
    """`26,400 CE`, `FUT`: for a page that says index and expiry elsewhere."""
    if contract.strike is None:
        return contract.kind.value
    return f"{wording.price(contract.strike).removesuffix('.00')} {contract.kind.value}"


def contract_labels(contracts: Iterable[Contract]) -> dict[ContractKey, str]:
    """The short name of each, with index and expiry where these contracts differ in them."""
    listed = list(contracts)
    indices = {contract.underlying for contract in listed}
    expiries = {(contract.underlying, contract.expiry) for contract in listed}
    labels = {}
    for contract in listed:
        parts = [contract.underlying] if len(indices) > 1 else []
        parts += [f"{contract.expiry:%d %b}".upper()] if len(expiries) > len(indices) else []
        labels[contract.key] = " ".join([*parts, contract_label(contract)])
    return labels
