// Compiled as one module with Sources/HTTP, by swiftc -sanitize=fuzzer,address.

/// What a parser made of its input, with body bytes joined so that splits do not show.
private struct Reading: Equatable {
    var heads: [String] = []
    var body: [UInt8] = []
    var ends = 0
    var failure: HTTPParseFailure?
}

private func readRequests(_ pieces: [ArraySlice<UInt8>]) -> Reading {
    var parser = HTTPRequestParser()
    var reading = Reading()
    do throws(HTTPParseFailure) {
        for piece in pieces {
            parser.receive(Array(piece))
            while let event = try parser.next() {
                switch event {
                case .head(let request, let framing):
                    // What was accepted can be asked for everything without a surprise.
                    _ = (request.target.segments, request.target.query, request.fields.map(\.value))
                    precondition(request.fields.canBeSent && request.fields.count <= HTTPLimits.standard.fieldsMax)
                    precondition(!request.target.segments.contains("..") && !request.target.path.utf8.contains(0))
                    reading.heads.append("\(request.method) \(request.target.raw) \(request.fields) \(framing)")
                case .body(let bytes): reading.body += bytes
                case .end: reading.ends += 1
                }
            }
        }
        try parser.end()
    } catch { reading.failure = error }
    return reading
}

private func readResponses(_ pieces: [ArraySlice<UInt8>], method: HTTPMethod) -> Reading {
    var parser = HTTPResponseParser()
    var reading = Reading()
    parser.expectResponse(to: method)
    func take(_ event: HTTPResponseParser.Event) {
        switch event {
        case .head(let response, let keeps): reading.heads.append("\(response.status) \(response.fields) \(keeps)")
        case .body(let bytes): reading.body += bytes
        case .end:
            reading.ends += 1
            parser.expectResponse(to: method)
        }
    }
    do throws(HTTPParseFailure) {
        for piece in pieces {
            parser.receive(Array(piece))
            while let event = try parser.next() { take(event) }
        }
        _ = try parser.end()
    } catch { reading.failure = error }
    return reading
}

private func readEvents(_ pieces: [ArraySlice<UInt8>]) -> ([SSEEvent], SSEParser.Failure?) {
    var parser = SSEParser(lineBytesMax: 200, eventBytesMax: 300)
    var events: [SSEEvent] = []
    for piece in pieces {
        do throws(SSEParser.Failure) { events += try parser.receive(piece) } catch { return ([], error) }
    }
    return (events, nil)
}

/// Cuts the input where a small generator says.
private func cut(_ bytes: ArraySlice<UInt8>, seed: UInt8) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var rest = bytes
    var state = UInt32(seed) | 1
    while !rest.isEmpty {
        state = state &* 1_664_525 &+ 1_013_904_223
        let count = seed == 0 ? 1 : Int(state >> 24) % 23 + 1
        pieces.append(rest.prefix(count))
        rest = rest.dropFirst(count)
    }
    return pieces
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count >= 2, let data else { return 0 }
    let all = Array(UnsafeBufferPointer(start: data, count: count))
    let bytes = all[2...]
    let pieces = cut(bytes, seed: all[1])
    switch all[0] % 6 {
    case 0, 1: precondition(readRequests([bytes]) == readRequests(pieces), "a request has two readings")
    case 2:
        let method: HTTPMethod = all[0] & 64 == 0 ? .get : .head
        precondition(
            readResponses([bytes], method: method) == readResponses(pieces, method: method),
            "a response has two readings")
    case 3:
        let (whole, wholeFailure) = readEvents([bytes])
        let (split, splitFailure) = readEvents(pieces)
        precondition(wholeFailure == splitFailure && whole == split, "an event stream has two readings")
        for event in whole where !event.data.utf8.contains(13) {
            // What we write of it is read back as it was.
            let name = event.event.utf8.contains(0) || event.event.isEmpty ? nil : event.event
            let frame = SSEWriter.frame(id: event.id, event: name, data: Array(event.data.utf8))
            var parser = SSEParser()
            let again = try? parser.receive(frame)
            precondition(again == [SSEEvent(id: event.id, event: name ?? "message", data: event.data)])
        }
    case 4:
        if let url = try? HTTPURL(String(decoding: bytes, as: UTF8.self)) {
            let text = "\(url.scheme)://\(url.hostField)\(url.target.raw)"
            precondition((try? HTTPURL(text)) == url, "a URL changes when it is written")
        }
    default:
        if let target = try? HTTPTarget(String(decoding: bytes, as: UTF8.self)) {
            _ = (target.segments, target.query)
            let path = "/" + target.segments.map { PercentEncoding.encode(String($0)) }.joined(separator: "/")
            if target.path != "*" {
                precondition((try? HTTPTarget(path))?.path == target.path, "a path changes when it is encoded")
            }
        }
    }
    return 0
}
