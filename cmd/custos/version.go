package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/sqlc"
)

const modulePath = "github.com/custos-auth/custos"

// build says which custos this is.
type build struct {
	Version  string // v0.1.0, or devel
	Checkout string // the folder that a devel was built in; "" when it cannot be told
}

// readBuild tells a release from a checkout: only a module that came through the module proxy has a checksum.
func readBuild() build {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Sum != "" {
		return build{Version: info.Main.Version}
	}
	return build{Version: "devel", Checkout: checkout()}
}

// checkout is the folder that this file was compiled in, if it is still there.
func checkout() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return ""
	}
	dir := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || !filepath.IsAbs(dir) || !bytes.HasPrefix(mod, []byte("module "+modulePath+"\n")) {
		return ""
	}
	return dir
}

// runtimeModule is where a user's go.mod finds the runtime that fits this custos.
func (b build) runtimeModule() (generator.RuntimeModule, error) {
	switch {
	case b.Version != "devel":
		return generator.RuntimeModule{Version: b.Version}, nil
	case b.Checkout == "":
		return generator.RuntimeModule{}, errors.New("find the runtime: this custos was built from a checkout that is gone, or with -trimpath; " +
			"type: go install " + modulePath + "/cmd/custos@latest")
	}
	return generator.RuntimeModule{Version: "v0.0.0", Replace: filepath.Join(b.Checkout, "runtime")}, nil
}

type versionOptions struct{ json bool }

func newVersionCmd(a *app) *cobra.Command {
	var o versionOptions
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of custos, Go and sqlc",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runVersion(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func (a *app) runVersion(_ context.Context, o versionOptions) error {
	v := struct {
		Version string `json:"version"`
		Go      string `json:"go"`
		SQLC    string `json:"sqlc"`
	}{a.build.Version, runtime.Version(), sqlc.Version}
	if o.json {
		return a.printJSON(v)
	}
	return a.printf("custos %s (%s, sqlc %s)\n", v.Version, v.Go, v.SQLC)
}
