/* A library with the names of OpenSSL's functions and nothing of what they do: it touches no memory that it is given, so
 * that it can be called with pointers that lead nowhere. */

#define NAME(name) long name(void) { return 1; }

NAME(d2i_X509)
NAME(X509_STORE_CTX_init)
NAME(X509_STORE_CTX_set_default)
NAME(X509_STORE_CTX_set_ex_data)
NAME(X509_verify_cert)
NAME(X509_STORE_CTX_get_error)
NAME(ERR_vset_error)
NAME(SSL_get1_peer_certificate)
NAME(SSL_set_fd)

long OpenSSL_version_num(void) { return 0x30000000L; }
