##! Adds the length of a certificate's validity and its age to x509.log, which has only the two dates: searches cannot
##! subtract one field from another. Before Zeek 8.0 the dates are in the sensor's local time, so that the age is off by
##! its offset from UTC; the length of the validity is not.

@load base/files/x509

module AN1498;

export {
	## not_valid_after minus not_valid_before, in days.
	global validity_days: function(cert: X509::Certificate): double;

	## A moment minus not_valid_before, in days; negative where the certificate is not yet valid.
	global age_days: function(cert: X509::Certificate, at: time): double;
}

redef record X509::Info += {
	## Length of the validity in days.
	an1498_validity_days: double &log &optional;

	## Age in days when the certificate was seen.
	an1498_age_days: double &log &optional;
};

function validity_days(cert: X509::Certificate): double
	{
	return ( cert$not_valid_after - cert$not_valid_before ) / 1day;
	}

function age_days(cert: X509::Certificate, at: time): double
	{
	return ( at - cert$not_valid_before ) / 1day;
	}

# base/files/x509 makes f$info$x509 at priority 5. Certificates that Zeek remembers come through this event too: the cache replays it.
event x509_certificate(f: fa_file, cert_ref: opaque of x509,
    cert: X509::Certificate)
	{
	if ( ! f?$info || ! f$info?$x509 )
		return;

	f$info$x509$an1498_validity_days = validity_days(cert);
	f$info$x509$an1498_age_days = age_days(cert, f$info$x509$ts);
	}
