import GoogleEmulator
import TestSupport
import Testing

/// Google's own Python client and gspread, as PyPI has them, work against the emulator.
@Suite(.timeLimit(.minutes(5))) struct PythonClientTests {
    @Test(.enabled("needs Python 3, venv and the packages of PyPI") { await PythonEnvironment.shared != nil })
    func pythonClientsWorkUnchanged() async throws {
        let python = try #require(await PythonEnvironment.shared)
        let directory = try TemporaryDirectory()
        let keyFile = directory.path + "/service-account.json"
        try await Client.run(.init(directory: directory.path), authorized: false) { client in
            let result = try await python.run("scripts/check-python-clients", [client.baseURL, keyFile])
            #expect(result.isSuccess, "\(result.output)")
            #expect(result.output.contains("ok          gspread creates and shares"), "\(result.output)")
        }
        withExtendedLifetime(directory) {}
    }
}
