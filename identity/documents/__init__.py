"""Documents kept in parallel: which interactions of different registers record one business event.

A deal of the CRM, an order of the ERP and an invoice of accounting may be one sale. `pairs.py` proposes,
`evidence.py` weighs, `events.py` puts together one of each register, `settling.py` and `instalments.py` say which
payments pay for what, `counting.py` which document counts. All of it is a function of the documents, judgements and
relationships alone.
"""
