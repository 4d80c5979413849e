##! Everything of the package; each script also stands alone.

@load ./first-bytes
@load ./ssl-certificates
@load ./x509-validity
