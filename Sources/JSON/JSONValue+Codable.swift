// Our own coders take these values as they are and never come here; any other coder is a defect.

extension JSONValue: Codable {
    package init(from decoder: any Decoder) throws { throw foreign(decoder.codingPath) }
    package func encode(to encoder: any Encoder) throws { throw foreign(encoder.codingPath) }
}

extension JSONObject: Codable {
    package init(from decoder: any Decoder) throws { throw foreign(decoder.codingPath) }
    package func encode(to encoder: any Encoder) throws { throw foreign(encoder.codingPath) }
}

extension JSONRaw: Codable {
    package init(from decoder: any Decoder) throws { throw foreign(decoder.codingPath) }
    package func encode(to encoder: any Encoder) throws { throw foreign(encoder.codingPath) }
}

private func foreign(_ path: [any CodingKey]) -> DecodingError {
    .dataCorrupted(.init(codingPath: path, debugDescription: "JSON values are coded by the JSON module only"))
}
