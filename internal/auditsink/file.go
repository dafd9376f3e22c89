package auditsink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// File appends events to a file, one a line. It opens the file for each batch, so
// that it can be moved away at any time.
type File struct {
	Path string
}

// longestTorn is how much of a torn last line is looked through for its begin.
const longestTorn = 8 << 20

// Deliver appends and makes it durable. A line that an earlier attempt has begun
// and not finished is taken away first.
func (f *File) Deliver(_ context.Context, _ string, events [][]byte) error {
	file, err := os.OpenFile(f.Path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the sink's file: %w", err)
	}
	err = appendLines(file, events)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write the sink's file: %w", err)
	}
	return nil
}

func appendLines(file *os.File, events [][]byte) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	tail := make([]byte, min(end, longestTorn))
	if _, err := file.ReadAt(tail, end-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if torn := int64(len(tail) - bytes.LastIndexByte(tail, '\n') - 1); torn > 0 {
		if err := file.Truncate(end - torn); err != nil {
			return err
		}
		if _, err := file.Seek(end-torn, io.SeekStart); err != nil {
			return err
		}
	}
	_, err = file.Write(lines(events))
	return err
}

// Stream writes events to an open stream, such as standard output, one a line.
type Stream struct {
	Out io.Writer
}

// Deliver writes.
func (s *Stream) Deliver(_ context.Context, _ string, events [][]byte) error {
	if _, err := s.Out.Write(lines(events)); err != nil {
		return fmt.Errorf("write to the sink's stream: %w", err)
	}
	return nil
}

func lines(events [][]byte) []byte {
	var all bytes.Buffer
	for _, e := range events {
		all.Write(e)
		all.WriteByte('\n')
	}
	return all.Bytes()
}
