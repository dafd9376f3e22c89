package completion

import (
	"embed"
	"fmt"
)

//go:embed scripts
var scripts embed.FS

// Script returns the completion script of a shell: bash, zsh or fish.
func Script(shell string) (string, error) {
	script, err := scripts.ReadFile("scripts/gatehouse." + shell)
	if err != nil {
		return "", fmt.Errorf("there is no completion script for %s", shell)
	}
	return string(script), nil
}
