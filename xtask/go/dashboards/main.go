// Reads dashboards as Grafana's own types have them, and names every field that they do not know, lack or mistype:
// Grafana itself passes over those.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	failed := false
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Printf("%s: %v\n", path, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var own dashboard.Dashboard
	// An error without words is none: a list of errors that is empty.
	if err := own.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		return err
	}
	return nil
}
