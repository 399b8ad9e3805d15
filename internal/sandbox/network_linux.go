package sandbox

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// networks are how containers reach each other. A single one has the network
// namespace of the sandbox's process. Several have one each, as they may listen on the
// same port, and a bridge between them.
type networks struct {
	names []string
	host  bool
	// namespaces are files by name; nil where there is but one.
	namespaces map[string]string
}

const bridge = "lucid0"

// address is a container's, as the others reach it. It is not the loopback address
// even where there are no others: a service that only listens there is not reached in
// production either.
func (n *networks) address(i int) net.IP { return net.IPv4(10, 88, byte(i>>8), byte(i&0xff)+1) }

// maxNames is far above what a test has.
const maxNames = 250

func (n *networks) open(s settings) error {
	n.names, n.host = slices.Sorted(slices.Values(s.Names)), s.HostNetwork
	if len(n.names) > maxNames {
		return fmt.Errorf("%d containers: at most %d have one network", len(n.names), maxNames)
	}
	if n.host {
		return nil
	}
	if len(n.names) == 1 {
		return n.prepare("lo", n.address(0), 32)
	}
	if err := n.openBridge(); err != nil {
		return fmt.Errorf("making a network for %d containers (the kernel's bridge and veth are needed): %w", len(n.names), err)
	}
	return nil
}

// prepare sets up the network namespace that this thread is in.
func (n *networks) prepare(device string, address net.IP, bits int) error {
	for _, name := range slices.Compact([]string{"lo", device}) {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if name == device {
			err := netlink.AddrAdd(link, &netlink.Addr{IPNet: &net.IPNet{IP: address, Mask: net.CIDRMask(bits, 32)}})
			if err != nil {
				return fmt.Errorf("adding address %s to %s: %w", address, name, err)
			}
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("setting %s up: %w", name, err)
		}
	}
	// As Docker does: port 80 needs no right.
	return os.WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", []byte("0"), 0)
}

// openBridge makes a namespace for each container and connects them.
func (n *networks) openBridge() error {
	br := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridge}}
	if err := netlink.LinkAdd(br); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(br); err != nil {
		return err
	}
	n.namespaces = map[string]string{}
	for i, name := range n.names {
		file := filepath.Join("net", strconv.Itoa(i))
		if err := n.connect(br, i, file); err != nil {
			return err
		}
		path, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		n.namespaces[name] = path
	}
	return nil
}

// connect makes a namespace, kept by a file, with an interface that leads to the
// bridge.
func (n *networks) connect(br netlink.Link, i int, file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return err
	}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		return unix.Mount(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), file, "", unix.MS_BIND, "")
	})
	if err != nil {
		return err
	}
	ns, err := os.Open(file)
	if err != nil {
		return err
	}
	defer ns.Close()
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: "veth" + strconv.Itoa(i), MasterIndex: br.Attrs().Index},
		PeerName:      "eth0",
		PeerNamespace: netlink.NsFd(int(ns.Fd())),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(veth); err != nil {
		return err
	}
	return inNamespace(file, func() error { return n.prepare("eth0", n.address(i), 16) })
}

// onThread calls f on a thread of its own, which ends with it: its namespaces are
// nobody else's.
func onThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		result <- f()
	}()
	return <-result
}

// inNamespace calls f in a network namespace, or in the process's own if file is
// empty.
func inNamespace(file string, f func() error) error {
	if file == "" {
		return f()
	}
	ns, err := os.Open(file)
	if err != nil {
		return err
	}
	defer ns.Close()
	return onThread(func() error {
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// namespace is the file of a container's; empty where it has the process's.
func (n *networks) namespace(name string) string { return n.namespaces[name] }

// files are those of a container that name the others.
func (n *networks) files(name string) map[string]string {
	hosts, resolv := "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n", ""
	for i, other := range n.names {
		hosts += fmt.Sprintf("%s\t%s\n", n.resolve(i), other)
	}
	if n.host {
		hosts = readHost("/etc/hosts") + hosts
		resolv = readHost("/etc/resolv.conf")
	}
	return map[string]string{"/etc/hosts": hosts, "/etc/hostname": name + "\n", "/etc/resolv.conf": resolv}
}

func readHost(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "" // a machine without names has a network all the same
	}
	return strings.TrimSuffix(string(text), "\n") + "\n"
}

// resolve is the address of the name of that number.
func (n *networks) resolve(i int) net.IP {
	if n.host {
		return net.IPv4(127, 0, 0, 1)
	}
	return n.address(i)
}

// dialTime limits a dial to what is there or not.
const dialTime = 10 * time.Second

// dial connects from inside a container to HOST:PORT, where HOST is a container's
// name, localhost or an address.
func (n *networks) dial(from, network, address string) (*os.File, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	switch i := slices.Index(n.names, host); {
	case i >= 0:
		host = n.resolve(i).String()
	case host == "localhost" || host == "":
		host = "127.0.0.1"
	case net.ParseIP(host) == nil && !n.host:
		return nil, &net.DNSError{Err: "no such host: the names are localhost, " + strings.Join(n.names, ", "), Name: host, IsNotFound: true}
	}
	var out *os.File
	err = inNamespace(n.namespace(from), func() error {
		d := net.Dialer{Timeout: dialTime} // an address: no other goroutine is used
		conn, err := d.Dial(network, net.JoinHostPort(host, port))
		if err != nil {
			return err
		}
		defer conn.Close()
		file, ok := conn.(interface{ File() (*os.File, error) })
		if !ok {
			return errors.ErrUnsupported
		}
		out, err = file.File()
		return err
	})
	return out, err
}

// sockets lists the addresses on which somebody in a container's network listens.
func (n *networks) sockets(name string) (list []string, err error) {
	err = inNamespace(n.namespace(name), func() error {
		for _, file := range []string{"tcp", "tcp6"} {
			table, err := os.Open(fmt.Sprintf("/proc/self/task/%d/net/%s", unix.Gettid(), file))
			if err != nil {
				continue // no IPv6
			}
			list = append(list, Listening(table)...)
			table.Close()
		}
		return nil
	})
	return list, err
}
