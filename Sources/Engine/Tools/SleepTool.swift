import JSON
import Platform
import Shared

/// Waits until a moment. Long waits park the run instead (see `StepExecutor`); what comes here is their short rest.
struct SleepTool: ToolImplementation {
    let clock: any Clock

    func prepare(_ call: ToolInput) throws(ToolFailure) -> PreparedCall {
        guard let until = call.text("until").flatMap({ Timestamp($0) }) else {
            throw ToolFailure("arguments_invalid", "expected an RFC 3339 time in until")
        }
        let clock = clock
        return PreparedCall { permit in
            let left = until.milliseconds - clock.wallMilliseconds()
            if left > 0, let cause = permit.stop.wait(milliseconds: left) { return .failure(.stopped(cause)) }
            return .success(["slept_until": .string(until.description)])
        }
    }
}
