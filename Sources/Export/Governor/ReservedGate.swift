import Google

/// The governor of an identity, which lets the first calls of one job use what is reserved for it.
struct ReservedGate: CallGate {
    let governor: Governor
    let reservation: QuotaReservation

    func admit(_ resource: GoogleResource) async throws(GoogleError) {
        try await governor.admit(resource, using: reservation)
    }

    func settle(_ resource: GoogleResource, _ error: GoogleError?) async -> GoogleError? {
        await governor.settle(resource, error)
    }
}
