##! Adds facts about the server's certificate to ssl.log. x509.log has them, but without addresses and once a day for each
##! certificate, so that no search can put it in order with what the machine did before.
##!
##! TLS 1.3 and resumed sessions show a sensor no certificate: there every field is unset.

@load base/protocols/ssl
@load ./x509-validity

module AN1498;

redef record SSL::Info += {
	## Type of the leaf's public key: rsa, dsa, ecdsa.
	an1498_key_type: string &log &optional;

	## Length of the leaf's public key in bits.
	an1498_key_length: count &log &optional;

	## Start of the leaf's validity.
	an1498_not_valid_before: time &log &optional;

	## End of the leaf's validity.
	an1498_not_valid_after: time &log &optional;

	## Length of the leaf's validity in days.
	an1498_validity_days: double &log &optional;

	## Age of the leaf in days when the session began.
	an1498_age_days: double &log &optional;

	## Whether the leaf names itself as its issuer. The signature is not checked: validation_status tells that.
	an1498_self_signed: bool &log &optional;

	## Number of certificates that the server sent.
	an1498_chain_length: count &log &optional;
};

# The hook runs once before each record of ssl.log, for handshakes that fail as well. base/protocols/ssl fills the chain before it.
hook SSL::ssl_finishing(c: connection)
	{
	if ( ! c$ssl?$cert_chain
	    || |c$ssl$cert_chain| == 0
	    || ! c$ssl$cert_chain[0]?$x509 )
		return;

	local leaf = c$ssl$cert_chain[0]$x509$certificate;

	if ( leaf?$key_type )
		c$ssl$an1498_key_type = leaf$key_type;

	if ( leaf?$key_length )
		c$ssl$an1498_key_length = leaf$key_length;

	c$ssl$an1498_not_valid_before = leaf$not_valid_before;
	c$ssl$an1498_not_valid_after = leaf$not_valid_after;
	c$ssl$an1498_validity_days = validity_days(leaf);
	c$ssl$an1498_age_days = age_days(leaf, c$ssl$ts);
	c$ssl$an1498_self_signed = leaf$subject == leaf$issuer;
	c$ssl$an1498_chain_length = |c$ssl$cert_chain|;
	}
