// Package match looks for many words in a stream at once.
package match

import (
	"bytes"
	"sync"
)

// Matcher finds many words in one pass: it looks at two bytes where the shortest
// word would end, and goes on by as much as these allow (Wu and Manber, "A fast
// algorithm for multi-pattern searching", 1994). The longer the shortest word, the
// faster.
type Matcher struct {
	words [][]byte
	// reach is the shortest word's length, at least 2.
	reach int
	// skip is how far the search may go on by the two bytes at its place; where it
	// is 0, heads has the words whose first bytes end with these.
	skip  [1 << 16]uint8
	heads map[uint16][]int
}

// New returns the Matcher of words of at least two bytes.
func New(words []string) *Matcher {
	m := &Matcher{heads: map[uint16][]int{}, reach: 200}
	for _, word := range words {
		m.words = append(m.words, []byte(word))
		m.reach = min(m.reach, len(word))
	}
	for i := range m.skip {
		m.skip[i] = uint8(m.reach - 1)
	}
	for i, word := range words {
		for end := 1; end < m.reach; end++ {
			pair := uint16(word[end-1])<<8 | uint16(word[end])
			m.skip[pair] = min(m.skip[pair], uint8(m.reach-1-end))
			if end == m.reach-1 {
				m.heads[pair] = append(m.heads[pair], i)
			}
		}
	}
	return m
}

// Find calls f with each place in data[:end] at which a word starts; the word
// may go on behind end.
func (m *Matcher) Find(data []byte, end int, f func(word, at int)) {
	last := min(len(data), end+m.reach-1)
	for i := m.reach - 1; i < last; {
		pair := uint16(data[i-1])<<8 | uint16(data[i])
		if n := m.skip[pair]; n > 0 {
			i += int(n)
			continue
		}
		at := i - (m.reach - 1)
		for _, word := range m.heads[pair] {
			if bytes.HasPrefix(data[at:], m.words[word]) {
				f(word, at)
			}
		}
		i++
	}
}

// Window shows a stream's content in pieces that overlap, so that what starts in
// one can be seen to its end.
type Window struct {
	data []byte
	// buffer is data's, from windows and back.
	buffer *[]byte
	// Overlap is how much of a piece is kept for the next one.
	Overlap int
}

// Add takes a piece of the stream and shows what is there, of which the first
// end bytes will not be shown again.
func (w *Window) Add(p []byte, show func(data []byte, end int)) {
	if w.buffer == nil {
		w.buffer = windows.Get().(*[]byte)
		w.data = (*w.buffer)[:0]
	}
	w.data = append(w.data, p...)
	if end := len(w.data) - w.Overlap; end > 0 {
		show(w.data, end)
		w.data = append(w.data[:0], w.data[end:]...)
	}
}

// Last shows the rest.
func (w *Window) Last(show func(data []byte, end int)) {
	show(w.data, len(w.data))
	if w.buffer != nil {
		*w.buffer = w.data[:0]
		windows.Put(w.buffer)
		w.buffer, w.data = nil, nil
	}
}

// windows are buffers of files that were read before: most files are small, and
// there are very many.
var windows = sync.Pool{New: func() any { return new([]byte) }}
