#pragma once
// Hashes, MACs and key derivation of libcrypto 3.0 (Debian: libssl-dev).
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
