// Measures gopkg.in/macaroon.v2 in the whole L402 operation, on the macaroon that its argument
// describes, and prints what it took as JSON (../../README.md).
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/macaroon.v2"
)

type task struct {
	RootKey  string   `json:"root_key"`
	Preimage string   `json:"preimage"`
	Currency string   `json:"currency"`
	Location string   `json:"location"`
	Caveats  []string `json:"caveats"`
	Now      uint64   `json:"now"`
	Token    string   `json:"token"`
	Batches  int      `json:"batches"`
}

var (
	rootKey, preimage []byte
	todo              task
	errRefused        = errors.New("refused")
	satisfied         = map[string]bool{}
)

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

func macaroonKey(paymentHash []byte) []byte {
	return mac(rootKey, []byte("l402/macaroon/0"), []byte(todo.Currency), []byte{0}, paymentHash)
}

func mint(paymentHash []byte) string {
	identifier := make([]byte, 2, 66)
	identifier = append(identifier, paymentHash...)
	identifier = append(identifier, mac(rootKey, paymentHash)...)
	m, err := macaroon.New(macaroonKey(paymentHash), identifier, todo.Location, macaroon.V2)
	check(err)
	for _, caveat := range todo.Caveats {
		check(m.AddFirstPartyCaveat([]byte(caveat)))
	}
	bytes, err := m.MarshalBinary()
	check(err)
	return base64.StdEncoding.EncodeToString(bytes)
}

func satisfy(caveat string) error {
	if until, found := strings.CutPrefix(caveat, "demo_valid_until="); found {
		if until, err := strconv.ParseUint(until, 10, 64); err == nil && todo.Now < until {
			return nil
		}
		return errRefused
	}
	if satisfied[caveat] {
		return nil
	}
	return errRefused
}

func verify(token string) error {
	bytes, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return err
	}
	var m macaroon.Macaroon
	if err := m.UnmarshalBinary(bytes); err != nil {
		return err
	}
	identifier := m.Id()
	if len(identifier) != 66 || identifier[0] != 0 || identifier[1] != 0 {
		return errRefused
	}
	paymentHash, tokenID := identifier[2:34], identifier[34:]
	if subtle.ConstantTimeCompare(mac(rootKey, paymentHash), tokenID) != 1 {
		return errRefused
	}
	if err := m.Verify(macaroonKey(paymentHash), satisfy, nil); err != nil {
		return err
	}
	proof := sha256.Sum256(preimage)
	if subtle.ConstantTimeCompare(proof[:], paymentHash) != 1 {
		return errRefused
	}
	return nil
}

// best is the nanoseconds of one in the fastest of many batches of some milliseconds.
func best(work func()) float64 {
	batch := func(iterations int) time.Duration {
		begun := time.Now()
		for range iterations {
			work()
		}
		return time.Since(begun)
	}
	iterations := 1
	for batch(iterations) < 2*time.Millisecond {
		iterations *= 2
	}
	fastest := batch(iterations)
	for range todo.Batches {
		fastest = min(fastest, batch(iterations))
	}
	return float64(fastest.Nanoseconds()) / float64(iterations)
}

func main() {
	check(json.Unmarshal([]byte(os.Args[1]), &todo))
	var err error
	rootKey, err = hex.DecodeString(todo.RootKey)
	check(err)
	preimage, err = hex.DecodeString(todo.Preimage)
	check(err)
	hash := sha256.Sum256(preimage)
	for _, caveat := range todo.Caveats[:2] {
		satisfied[caveat] = true
	}

	minted := mint(hash[:])
	check(verify(todo.Token))
	forged, err := base64.StdEncoding.DecodeString(todo.Token)
	check(err)
	forged[len(forged)-1] ^= 1
	if verify(base64.StdEncoding.EncodeToString(forged)) == nil {
		check(errors.New("a forged token was accepted"))
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"library": "go-macaroon " + version(),
		"runtime": strings.Replace(runtime.Version(), "go", "Go ", 1),
		"token":   minted,
		"mint":    measured(func() { mint(hash[:]) }),
		"verify":  measured(func() { check(verify(todo.Token)) }),
	}))
}

func measured(work func()) map[string]any {
	return map[string]any{"ns": best(work), "allocations": testing.AllocsPerRun(1000, work)}
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "gopkg.in/macaroon.v2" {
				return strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return "?"
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
