import JSON
import Testing

@Suite("Keys")
struct JSONKeyTests {
    @Test(
        "of Swift stand in snake_case on the wire",
        arguments: [
            ("runID", "run_id"), ("contentMD", "content_md"), ("sha256", "sha256"), ("URLPath", "url_path"),
            ("ttlMs", "ttl_ms"), ("stepIDs", "step_ids"), ("permitTTLMs", "permit_ttl_ms"),
            ("leaseTTLMs", "lease_ttl_ms"), ("argsHash", "args_hash"), ("contentURI", "content_uri"), ("x", "x"),
            ("", ""), ("X", "x"), ("ID", "id"), ("IDs", "ids"), ("URLsSeen", "urls_seen"), ("aB", "a_b"),
            ("baseURLPath", "base_url_path"), ("step2Name", "step2_name"), ("sha256Hex", "sha256_hex"),
            ("hTTP", "h_ttp"), ("already_snake", "already_snake"), ("_private", "_private"), ("größeID", "größe_id"),
            ("aRatherLongNameThatFitsInNoSmallString", "a_rather_long_name_that_fits_in_no_small_string"),
        ])
    func snakeCase(swift: String, wire: String) {
        #expect(JSONKey.snakeCase(swift) == wire)
    }

    @Test("stay as they are once they are in snake_case")
    func idempotent() {
        var generator = SeededGenerator(seed: 5)
        let letters = Array("abIDMsx2_T")
        for _ in 0..<5000 {
            let name = String(
                (0..<Int.random(in: 0...12, using: &generator)).map { _ in letters.randomElement(using: &generator)! })
            let wire = JSONKey.snakeCase(name)
            #expect(JSONKey.snakeCase(wire) == wire)
            #expect(
                wire.utf8.filter { $0 != UInt8(ascii: "_") }
                    == name.lowercased().utf8.filter { $0 != UInt8(ascii: "_") })
        }
    }
}
