-- The key that signs heads of the audit (docs/decisions/0012-vault.md): Ed25519's seed, sealed under the vault key; null:
-- of before, the next start makes it.
ALTER TABLE vault ADD COLUMN audit_key BLOB;
