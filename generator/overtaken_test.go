package generator_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
)

// Of two runs at once, the one that comes too late says so, and does not take the other's files for the user's.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"rendering", "running sqlc"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), goMod(t), 0o600); err != nil {
			t.Fatal(err)
		}
		m := wanted{name: "ApiClient", plugins: selection("api_tokens")}
		var winner memoryFS
		req := request(t, dir, engine.Default(), m)
		req.Progress = func(now string) {
			if now != step {
				return
			}
			run(t, request(t, dir, engine.Default(), m))
			winner = snapshot(t, dir)
			if err := os.WriteFile(filepath.Join(dir, "internal", "auth", "config.go"), []byte("-- other\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := generator.Generate(t.Context(), req)
		if winner == nil || err == nil || !strings.Contains(err.Error(), "another custos has written into this project meanwhile; nothing was written; run it again") {
			t.Errorf("%s: %v", step, err)
		}
	}
}
