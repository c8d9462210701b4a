package sqlc

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"strings"
)

// Where two rules of sqlc's grammar of SQLite fit the same words, its parser reads all of them twice, the second time with
// no memory of other queries: that was half of a run. Such words are sent as others that only one rule fits and that are
// the same to sqlc, to which every comparison is one, and which does not look at those that have no parameter in them.
// longhand puts the words back into the Go:
//
//	WHERE a_b IS NULL AND c.d = e.f  WHERE X'615f62204953204e554c4c20414e4420632e64203d20652e66'
//	a IS NULL, a IS NOT NULL         a == X'', a != X''
//	WHERE id IN (SELECT t.id         WHERE id == (SELECT t.id
//	authenticatable_type = 'User'    authenticatable_type = X'55736572'
//	UPDATE ...; DELETE ...;          UPDATE ... LIMIT 9000000001; DELETE ... LIMIT 9000000001;

const limited = " LIMIT 9000000001" // update_stmt and delete_stmt never end so, but their twins update_stmt_limited and delete_stmt_limited

// plainCondition is a comparison that has no parameter in it, in the forms that custos' queries have.
const plainCondition = `(?:(?:\w+\.)?authenticatable_type (?:=|<>) '\w+'|(?:\w+\.\w+|[a-z]+(?:_[a-z]+)+) IS (?:NOT )?NULL|` +
	`\w+\.\w+ = (?:\w+\.\w+|CAST\(\w+\.\w+ AS \w+\)))`

var (
	long   = regexp.MustCompile(`\b(authenticatable_type (?:=|<>) )'(\w+)'|` + quoted + `|\bIS NULL\b|\bIS NOT NULL\b|\bWHERE id IN \(\s*SELECT \w+\.id\b`)
	short  = regexp.MustCompile(`[=!]= X''|\bX'([0-9a-f]+)'|\bWHERE id == \(|` + limited + `\b`)
	fixed  = regexp.MustCompile(quoted + `|\bBETWEEN\b|\b(?:WHERE|AND|OR|ON|WHEN)\s+(` + plainCondition + `(?:\s+AND\s+` + plainCondition + `)*)`)
	behind = regexp.MustCompile(`^\s*(?:$|[;)]|(?:AND|OR|GROUP|ORDER|LIMIT|RETURNING|LEFT|JOIN|WHERE|THEN)\b)`)
	change = regexp.MustCompile(`^(?:\s|--[^\n]*\n)*(?:UPDATE|DELETE)\s`)
	ended  = regexp.MustCompile(`\bRETURNING\b|\bLIMIT\b[^()]*;\s*$`)
)

// shorthand rewrites the queries of a file. With ok false they have words of its own, which longhand could not tell apart.
func shorthand(sql []byte) (rewritten []byte, ok bool) {
	if short.Match(sql) {
		return nil, false
	}
	var b bytes.Buffer
	for _, query := range statements(string(sql)) {
		query = long.ReplaceAllStringFunc(fold(query), func(found string) string {
			switch {
			case found == "IS NULL":
				return "== X''"
			case found == "IS NOT NULL":
				return "!= X''"
			case strings.HasPrefix(found, "WHERE"):
				return strings.Replace(found, "IN", "==", 1)
			case strings.HasPrefix(found, "authenticatable_type"):
				m := long.FindStringSubmatch(found)
				return m[1] + "X'" + hex.EncodeToString([]byte(m[2])) + "'"
			}
			return found // quoted
		})
		if end := strings.LastIndex(query, ";"); end > 0 && change.MatchString(query) && !ended.MatchString(query) {
			query = query[:end] + limited + query[end:]
		}
		b.WriteString(query)
	}
	return b.Bytes(), true
}

// fold makes one word of conditions without parameters. The AND of a BETWEEN is none between conditions.
func fold(query string) string {
	var b strings.Builder
	done := 0
	for _, at := range fixed.FindAllStringSubmatchIndex(query, -1) {
		switch {
		case at[2] >= 0 && behind.MatchString(query[at[3]:]):
			b.WriteString(query[done:at[2]] + "X'" + hex.EncodeToString([]byte(query[at[2]:at[3]])) + "'")
			done = at[3]
		case query[at[0]:at[1]] == "BETWEEN":
			return query
		}
	}
	return b.String() + query[done:]
}

// longhand takes Go that sqlc made of shorthand back to the words that were there first.
func longhand(code []byte) []byte {
	return short.ReplaceAllFunc(code, func(found []byte) []byte {
		switch string(found) {
		case "== X''":
			return []byte("IS NULL")
		case "!= X''":
			return []byte("IS NOT NULL")
		case "WHERE id == (":
			return []byte("WHERE id IN (")
		case limited:
			return nil
		}
		text, err := hex.DecodeString(string(short.FindSubmatch(found)[1]))
		if err != nil {
			return found // half a byte: shorthand wrote none
		}
		if bytes.Contains(text, []byte(" ")) {
			return text // of fold
		}
		return []byte("'" + string(text) + "'")
	})
}
