package dockerbox

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interrupts closes the Boxes of a program that is interrupted, by Ctrl-C for one, before
// it ends: Docker goes on with what it was asked for.
type interrupts struct {
	mu    sync.Mutex
	boxes map[*Box]bool
	asked chan os.Signal
}

var watched = interrupts{boxes: map[*Box]bool{}}

// exitInterrupted is the shell's exit code of a program that Ctrl-C ended.
const exitInterrupted = 130

// add notes a Box that is open.
func (i *interrupts) add(b *Box) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.boxes[b] = true
	if len(i.boxes) > 1 {
		return
	}
	i.asked = make(chan os.Signal, 1)
	signal.Notify(i.asked, os.Interrupt, syscall.SIGTERM)
	go i.end(i.asked)
}

// remove forgets a Box that was closed. With the last one, signals are none of ours.
func (i *interrupts) remove(b *Box) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.boxes[b] {
		return
	}
	delete(i.boxes, b)
	if len(i.boxes) == 0 {
		signal.Stop(i.asked)
		close(i.asked)
	}
}

func (i *interrupts) end(asked <-chan os.Signal) {
	if _, ok := <-asked; !ok {
		return
	}
	i.mu.Lock()
	var open []*Box
	for b := range i.boxes {
		open = append(open, b)
	}
	i.mu.Unlock()
	var all sync.WaitGroup
	for _, b := range open {
		all.Go(func() { _ = b.close() }) // what stays, the next process removes
	}
	all.Wait()
	os.Exit(exitInterrupted)
}
