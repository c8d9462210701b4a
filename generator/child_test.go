package generator_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// What the child is told.
const (
	childDir       = "CUSTOS_TEST_CHILD_DIR"
	childTemplates = "CUSTOS_TEST_CHILD_TEMPLATES"
	childPlugins   = "CUSTOS_TEST_CHILD_PLUGINS"
	childRuntime   = "CUSTOS_TEST_CHILD_RUNTIME"
)

// generateAsChild is the run that is killed.
func generateAsChild(dir string) int {
	var plugins []plugin.Selection
	for _, name := range strings.Fields(os.Getenv(childPlugins)) {
		plugins = append(plugins, plugin.Selection{Name: name})
	}
	result, err := generator.Generate(context.Background(), generator.Request{
		Dir: dir, Options: project.Options{Engine: engine.Default().Name}, Model: "ApiClient", Plugins: plugins,
		Templates: os.DirFS(os.Getenv(childTemplates)), Version: "v0.0.0-test",
		Runtime: generator.RuntimeModule{Version: "v0.0.0", Replace: os.Getenv(childRuntime)},
		Now:     func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	})
	if err == nil {
		fmt.Println("applying")
		err = result.Apply()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
