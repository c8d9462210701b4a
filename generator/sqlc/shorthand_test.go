package sqlc

import "testing"

func TestShorthand(t *testing.T) {
	for _, c := range []struct{ sql, want string }{
		{"SELECT a FROM b WHERE c IS NULL AND d IS NOT NULL;", "SELECT a FROM b WHERE c == X'' AND d != X'';"},
		{"-- name: A :one\nSELECT a FROM b WHERE c = @c AND d = authenticatable_type = 'User';",
			"-- name: A :one\nSELECT a FROM b WHERE c = @c AND d = authenticatable_type = X'55736572';"},
		{"SELECT a FROM b WHERE a_b IS NULL AND c.d = e.f", "SELECT a FROM b WHERE X'615f62204953204e554c4c20414e4420632e64203d20652e66'"},
		{"SELECT a FROM b WHERE c = ?1\n  AND authenticatable_type = 'User';", "SELECT a FROM b WHERE c = ?1\n  AND X'61757468656e746963617461626c655f74797065203d20275573657227';"},
		{"SELECT a FROM b JOIN c ON c.d = CAST(b.d AS TEXT) WHERE a.b IS NULL OR c = ?1", "SELECT a FROM b JOIN c ON X'632e64203d204341535428622e64204153205445585429' WHERE X'612e62204953204e554c4c' OR c = ?1"},
		{"SELECT a FROM b WHERE c.d = e.f = ?1 AND g.h IS NULL + ?1;", "SELECT a FROM b WHERE c.d = e.f = ?1 AND g.h == X'' + ?1;"},
		{"SELECT a AND b.c IS NULL AS d;", "SELECT a AND b.c == X'' AS d;"},
		{"SELECT (a.b = c.d), a.b IS NULL;", "SELECT (a.b = c.d), a.b == X'';"},
		{"SELECT a FROM b WHERE c.d IS NULL AND e BETWEEN f AND g.h IS NULL;", "SELECT a FROM b WHERE c.d == X'' AND e BETWEEN f AND g.h == X'';"},
		{"SELECT a FROM b WHERE c.d = @d AND e.f = e.g(1) AND 'AND h.i IS NULL;' = j;", "SELECT a FROM b WHERE c.d = @d AND e.f = e.g(1) AND 'AND h.i IS NULL;' = j;"},
		{"-- name: A :exec\nDELETE FROM a WHERE id IN (\n    SELECT b.id FROM a AS b LIMIT 10\n);", "-- name: A :exec\nDELETE FROM a WHERE id == (\n    SELECT b.id FROM a AS b LIMIT 10\n) LIMIT 9000000001;"},
		{"-- name: A :exec\nUPDATE a SET b = 1;\n\n-- name: B :exec\n-- All.\nDELETE FROM a;\n", "-- name: A :exec\nUPDATE a SET b = 1 LIMIT 9000000001;\n\n-- name: B :exec\n-- All.\nDELETE FROM a LIMIT 9000000001;\n"},
		{"SELECT 'a IS NULL' FROM b WHERE id IN (1, 2); -- IS NULL", "SELECT 'a IS NULL' FROM b WHERE id IN (1, 2); -- IS NULL"},
		{"UPDATE a SET b = 1 RETURNING id;", "UPDATE a SET b = 1 RETURNING id;"},
		{"DELETE FROM a WHERE b = (SELECT 1 LIMIT 1) ORDER BY id LIMIT 10;\n", "DELETE FROM a WHERE b = (SELECT 1 LIMIT 1) ORDER BY id LIMIT 10;\n"},
		{"SELECT authenticatable_type AS a, 'User' AS b;", "SELECT authenticatable_type AS a, 'User' AS b;"},
	} {
		got, ok := shorthand([]byte(c.sql))
		if !ok || string(got) != c.want {
			t.Errorf("%q: %q, %t, want %q", c.sql, got, ok, c.want)
		}
		if back := longhand(got); string(back) != c.sql {
			t.Errorf("%q and back: %q", c.sql, back)
		}
	}
	for _, sql := range []string{
		"SELECT a == X'';", "SELECT a != X'';", "SELECT X'0a';", "SELECT a FROM b WHERE id == (SELECT 1);", "DELETE FROM a LIMIT 9000000001;",
		"-- A LIMIT 9000000001 is for ever.\nSELECT 1;",
	} {
		if got, ok := shorthand([]byte(sql)); ok {
			t.Errorf("%q, which has words of shorthand's own: %q", sql, got)
		}
	}
}

// Whatever the SQL is, nothing of it is lost.
func FuzzShorthand(f *testing.F) {
	f.Add("-- name: A :exec\nUPDATE a SET b = 'it''s; -- IS NULL' WHERE c IS NOT NULL AND authenticatable_type = 'User';\n")
	f.Add("-- name: A :exec\nDELETE FROM a WHERE id IN (\n SELECT 1) /* ; */;\n\n-- name: B :one\nSELECT X'' == IS NULL;")
	f.Fuzz(func(t *testing.T, sql string) {
		short, ok := shorthand([]byte(sql))
		if !ok {
			return
		}
		if back := longhand(short); string(back) != sql {
			t.Errorf("%q as %q and back: %q", sql, short, back)
		}
	})
}
