// Package keyring turns tokens into keyed digests, so that a stolen database opens nothing.
//
// The master keys come from the environment variable CUSTOS_KEYS ([EnvVar]):
//
//	CUSTOS_KEYS=2:<base64 of 32 bytes>,1:<base64 of 32 bytes>
//
// The first key is current: new digests are made with it. The others only verify, until they are
// removed; the tokens digested under a removed key die with it (T-05). A program refuses to start
// with a missing, short, weak, duplicate or published key (T-06): that is what [Parse] is for.
//
// A master key never touches a token. For each purpose ("api_token", "password_reset", ...) a sub-key
// is derived with HKDF-SHA256 (RFC 5869), and a digest is
//
//	HMAC-SHA256(sub-key, "v1" || 0x1f || model || 0x1f || token)
//
// in lower-case hexadecimal. Purpose and model are part of the digest, so a digest that is copied to
// another table, purpose or model verifies nothing there (T-03). A plain keyed hash is enough, and
// argon2id would be waste, because tokens have 256 random bits (ASVS 6.5.2); do not use this package for
// passwords.
//
// An authentication computes its digests once:
//
//	c := digester.Candidates(tok)
//	row, err := queries.FindToken(ctx, c.Strings()) // WHERE ... AND digest IN (...)
//	current, ok := c.Match(row.Digest)              // constant time (T-09)
//
// When ok and not current, write [Digester.Digest] and [Digester.KeyID] into the row: it moves to the
// current key.
package keyring
