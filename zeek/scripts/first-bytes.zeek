##! Adds to conn.log the Shannon entropy of the first bytes that a client sends to a port of TLS, where they are not TLS.
##! Inside TLS high entropy is normal; without a handshake it tells encrypted from readable protocols.

@load base/frameworks/signatures
@load base/protocols/conn
@load-sigs ./first-bytes.sig

module AN1498;

export {
	## How many bytes are measured. Fewer bytes have less entropy whatever they are, so a shorter first chunk is not measured.
	## The threshold of the rules (payload_entropy_threshold) is for this number.
	const entropy_bytes = 256 &redef;
}

redef record connection += {
	## Entropy of the client's first bytes, until the connection is logged.
	an1498_first_bytes_entropy: double &optional;
};

redef record Conn::Info += {
	## Shannon entropy of the client's first 256 bytes in bits per byte, 0 to 8.
	an1498_first_bytes_entropy: double &log &optional;
};

# The match is a means, not a finding: it is kept out of signatures.log.
redef Signatures::ignored_ids += /an1498-first-bytes/;

event signature_match(state: signature_state, msg: string, data: string)
	{
	if ( state$sig_id != "an1498-first-bytes" || |data| < entropy_bytes )
		return;

	state$conn$an1498_first_bytes_entropy = find_entropy(sub_bytes(data, 1,
	    entropy_bytes))$entropy;
	}

# After base/protocols/conn has made the record (priority 5), before it writes it (-5).
event connection_state_remove(c: connection)
	{
	if ( c?$conn && c?$an1498_first_bytes_entropy )
		c$conn$an1498_first_bytes_entropy = c$an1498_first_bytes_entropy;
	}
