// The JSON module under libFuzzer. It is compiled as one module with its sources:
//
//     swiftc -O -g -sanitize=fuzzer,address -parse-as-library -swift-version 6 -package-name agentos \
//         Sources/JSON/*.swift Tests/Fuzz/FuzzJSON.swift -o /tmp/fuzzjson

/// Whatever comes: no crash. What is taken is written alike in every form, and read back as the same value.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    _ = try? JSON.decode(FuzzShape.self, from: bytes)
    do {
        check(try JSON.parse(bytes))
    } catch {
        precondition((0...count).contains(error.offset) && error.line > 0 && error.column > 0, "an error has a place")
    }
    return 0
}

private func check(_ value: JSONValue) {
    let canonical = JSON.canonical(value)
    let again = reparsed(canonical)
    precondition(again == value && again.hashValue == value.hashValue, "canonical JSON reads back as the same value")
    precondition(JSON.canonical(again) == canonical, "canonical JSON is a fixed point")

    let compact = JSON.write(value)
    precondition(JSON.write(reparsed(compact)) == compact, "compact JSON is a fixed point")
    precondition(JSON.write(reparsed(Array(JSON.pretty(value).utf8))) == compact, "pretty JSON is the same document")

    precondition(expect { try JSON.canonical(encoding: value) } == canonical, "typed and tree are written alike")
    precondition(expect { try JSON.encode([value]) } == [0x5B] + compact + [0x5D], "typed and tree are written alike")
    if let object = value.objectValue { check(object) }
    if let shape = try? JSON.decode(FuzzShape.self, from: value) { check(shape) }
}

/// As a dictionary an object is the same to its canonical bytes, and each member is found at its pointer.
private func check(_ object: JSONObject) {
    let dictionary = expect { try JSON.decode([String: JSONValue].self, from: .object(object)) }
    precondition(dictionary.count == object.count, "a dictionary holds every member")
    precondition(
        expect { try JSON.canonical(encoding: dictionary) } == JSON.canonical(.object(object)),
        "a dictionary is written as the object that it was")
    for (key, value) in object {
        precondition(
            JSONValue.object(object).at(pointer: "/" + JSONPointer.escape(key)) == value, "a pointer leads there")
    }
}

private func check(_ shape: FuzzShape) {
    let bytes = expect { try JSON.encode(shape) }
    let canonical = expect { try JSON.canonical(encoding: shape) }
    precondition(JSON.canonical(reparsed(bytes)) == canonical, "canonical typed is canonical of the tree")
    let again = expect { try JSON.decode(FuzzShape.self, from: canonical) }
    precondition(expect { try JSON.canonical(encoding: again) } == canonical, "a typed value reads back as it was")
}

/// What comes from our own writers is always taken; a pretty document may be larger than the limit for strangers.
private func reparsed(_ bytes: [UInt8]) -> JSONValue {
    var limits = JSONLimits()
    limits.bytesMax = .max
    return expect { try JSON.parse(bytes, limits: limits) }
}

private func expect<Result>(_ body: () throws -> Result) -> Result {
    do {
        return try body()
    } catch {
        preconditionFailure("what was taken once was refused: \(error)")
    }
}

/// Members of every kind; all are optional so that much fits.
private struct FuzzShape: Codable {
    enum Kind: String, Codable { case a, b }
    enum Choice: Codable { case a(Int), b(name: String, [Bool?]) }

    var a: String?, b: Int8?, c: UInt64?, d: Double?, e: Bool?
    var f: [FuzzShape]?, g: [String: FuzzShape]?, h: Kind?, i: Choice?, j: JSONValue?
    var k: JSONObject?, l: JSONRaw?, m: [Int: [Double]]?, runID: [Float]?
}
