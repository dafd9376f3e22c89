package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// JSON prints an answer as the server sent it, indented, and one line end.
func JSON(w io.Writer, raw json.RawMessage) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(raw), "", "  "); err != nil {
		return fmt.Errorf("indent the answer: %w", err)
	}
	indented.WriteByte('\n')
	_, err := indented.WriteTo(w)
	return err
}
