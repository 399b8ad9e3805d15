package dockerbox

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// piece is output as Docker sends it.
func piece(kind byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind, 0, 0, 0}, uint32(len(text))), text...)
}

func TestDemux(t *testing.T) {
	var out, errs bytes.Buffer
	both := map[byte]io.Writer{stdout: &out, stderr: &errs}
	sent := bytes.Join([][]byte{piece(stdout, "a"), piece(stderr, "b"), piece(stdout, ""), piece(9, "of no kind"), piece(stdout, "c")}, nil)
	require.NoError(t, demux(bytes.NewReader(sent), both))
	require.Equal(t, "ac", out.String())
	require.Equal(t, "b", errs.String())
	require.ErrorIs(t, demux(bytes.NewReader(sent[:5]), both), io.ErrUnexpectedEOF, "in a head")
	require.ErrorIs(t, demux(bytes.NewReader(piece(stdout, "abc")[:9]), both), io.EOF, "in a piece")
}

func TestConn(t *testing.T) {
	ours, theirs := net.Pipe()
	c := newConn(ours, address{"tcp", "web:80"})
	require.Equal(t, "web:80", c.RemoteAddr().String())
	go func() {
		_, _ = theirs.Write(piece(stdout, "ok\nan"))
		_, _ = theirs.Write(piece(stderr, "a warning of Python's"))
		_, _ = theirs.Write(piece(stdout, "swer"))
		theirs.Close()
	}()
	line, err := readLine(c)
	require.NoError(t, err)
	require.Equal(t, "ok", line)
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, "answer", string(answer))
	_, err = readLine(c)
	require.ErrorContains(t, err, "the program that connects ended")
}

func TestConnDeadline(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	c := newConn(ours, address{"tcp", "web:80"})
	require.NoError(t, c.SetReadDeadline(time.Now()))
	_, err := c.Read(make([]byte, 1))
	var late net.Error
	require.ErrorAs(t, err, &late)
	require.True(t, late.Timeout())
}

func TestDatagrams(t *testing.T) {
	ours, theirs := net.Pipe()
	c := datagrams{newConn(ours, address{"udp", "web:53"})}
	got := make(chan []byte)
	go func() {
		data := make([]byte, 5)
		_, _ = io.ReadFull(theirs, data)
		got <- data
		_, _ = theirs.Write(piece(stdout, "\x00\x02ab\x00\x01c"))
	}()
	n, err := c.Write([]byte("abc"))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Equal(t, "\x00\x03abc", string(<-got))
	for _, want := range []string{"ab", "c"} {
		data := make([]byte, 10)
		n, err := c.Read(data)
		require.NoError(t, err)
		require.Equal(t, want, string(data[:n]))
	}
	_, err = c.Write(make([]byte, 1<<16))
	require.ErrorContains(t, err, "at most 65535 bytes")
}
