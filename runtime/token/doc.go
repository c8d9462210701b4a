// Package token makes opaque secrets and recognises strings that could be one.
//
// A [Format] says what a token looks like on the wire; [Format.Generate] issues one and
// [Format.Valid] refuses everything that was never issued in that format before a query is spent on
// it. Every token of a Format carries 256 bits from crypto/rand (ASVS 7.2.3 and 11.5.1, requirement T-01) and
// nothing else: no time, no counter, no identifier.
//
// There are two layouts:
//
//	(no prefix)  43 base64url characters without padding, for cookies and mail links
//	acme_pat_    43 base62 characters of randomness and 6 of CRC-32, for tokens that people paste
//
// The second one can be found by secret scanners ([Format.Pattern]). Its checksum catches typing
// errors and lets scanners drop false alarms. It is not authentication: anybody can compute it. Only
// a digest from package keyring that matches a stored one says that a token is good.
//
// [Backup], [Code] and [Digits] make the short secrets that people type. They have fewer bits, and their comments say what
// that takes.
//
// A [Token] does not print. It leaves the program through [Token.Expose] only, so "where do secrets
// get out" is answered by finding the references of one method.
package token
