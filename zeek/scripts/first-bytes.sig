# The first chunk that a client sends to a port of TLS and that is no TLS handshake record (22) and no SSLv2 hello (128).
# One in 128 random beginnings has one of these two bytes and is missed; in return no real TLS session raises an event.
signature an1498-first-bytes {
  ip-proto == tcp
  dst-port == 443,465,563,636,853,989,990,993,995,3269,4433,5061,5223,8443
  tcp-state established,originator
  payload /^[^\x16\x80]/
  event "first bytes of a client on a TLS port, not TLS"
}
