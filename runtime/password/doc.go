// Package password hashes passwords, verifies them, and says which ones not to accept.
//
// The threats, and what is done about each:
//
//   - A stolen database is guessed through offline: argon2id with at least the parameters OWASP names
//     (ASVS 11.4.2, requirement P-01), the whole password significant (P-04), no pepper to lose.
//   - Guessing online with the passwords everybody uses: [Policy] has a list of them (P-07).
//   - Time tells which accounts exist (ASVS 6.3.8, E-02): [Hasher.Verify] hashes exactly once on every
//     path, and [Hasher.Decoy] does the same work for an account that does not exist.
//   - Long passwords and many sign-ins at once eat the machine: input is cut before it is hashed (P-05),
//     and the whole process hashes under one budget of memory ([SetBudget], P-06).
//   - A database that somebody else writes to: parameters in a stored digest are capped, so a row that asks
//     for all the memory there is does not get it.
//
// # Cost
//
// A digest that was made with other parameters than the current ones takes another time to verify, as do
// imported bcrypt digests, and that time shows that the account exists. It ends with the next sign-in, when
// the digest is made anew: that is what rehash is for (P-02). Nothing else can end it, for a digest cannot
// be strengthened without the password.
//
// # Which bytes are hashed
//
// A password is hashed as it was received (ASVS 6.2.8): nothing is trimmed, folded or normalised. RFC 8265
// would apply Unicode's NFC first, so that "é" is the same from every keyboard. We do not, because tables
// that change with each version of Unicode would then decide about passwords for ever, and because digests
// imported from systems that did not normalise would stop to verify. Clients may normalise. Invalid UTF-8
// and NUL, which other systems cut or replace, are refused by [Policy.Check] when a password is set.
package password
