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

// searchedAtOnce is how much of it is in memory at once.
const searchedAtOnce = 64 << 10

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
	whole, err := wholeLines(file, end)
	if err != nil {
		return err
	}
	if whole < end {
		if err := file.Truncate(whole); err != nil {
			return err
		}
		if _, err := file.Seek(whole, io.SeekStart); err != nil {
			return err
		}
	}
	_, err = file.Write(lines(events))
	return err
}

// wholeLines returns where the last whole line of a file of that size ends. A
// file that is in order costs a look at its last byte; only behind that, it is
// searched from its end on. Nothing is remembered from batch to batch, because
// others rotate and cut such files meanwhile.
func wholeLines(file io.ReaderAt, size int64) (int64, error) {
	block := make([]byte, 1)
	for end := size; end > 0; block = make([]byte, min(searchedAtOnce, end)) {
		if size-end > longestTorn {
			return 0, errors.New("its last line is longer than any event: it is no file of events, name another one")
		}
		end -= int64(len(block))
		if _, err := file.ReadAt(block, end); err != nil {
			return 0, err
		}
		if at := bytes.LastIndexByte(block, '\n'); at >= 0 {
			return end + int64(at) + 1, nil
		}
	}
	return 0, nil
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
