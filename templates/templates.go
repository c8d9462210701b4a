// Package templates holds the built-in plugins, one folder each. The generator never imports it: it is handed
// the file system, as it is handed a project's own plugins.
package templates

import "embed"

// FS is the built-in plugins, one folder each.
//
//go:embed all:*/*
var FS embed.FS
