// Package jsonbody decodes small JSON request bodies into structs made for them, strictly.
//
// encoding/json is lenient in ways that matter to authentication: it matches keys in any case, lets
// the last of several equal keys win, ignores unknown keys, takes null for everything and replaces
// broken text by U+FFFD. Two readers of one body can then see two different e-mail addresses. [Decode]
// accepts a body only if there is one way to read it (requirements D-01, D-03, D-04 and D-09; ASVS
// 1.5.3, 15.3.3, 15.3.5, 4.1.4).
//
// The destination is a struct with exactly the fields that a client may set. Fields are strings,
// booleans, numbers, types that unmarshal from a JSON string (time.Time and others), structs,
// and slices and pointers of these. A pointer is an optional field: nil means that the key was absent,
// for null is refused. Maps, interfaces, arrays, []byte and embedded structs are not supported, because
// what they accept cannot be told from the type; they panic, with the field's name, on the first request.
package jsonbody
