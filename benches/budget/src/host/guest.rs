//! The module's memory, as seen by a host call. What passes through is counted.

use wasmi::{Caller, Error, Extern, Memory};

use super::{Counts, Host};

/// One call to a host function.
pub(super) struct Guest<'c> {
    caller: Caller<'c, Host>,
    memory: Memory,
}

impl<'c> Guest<'c> {
    /// Starts a call.
    pub(super) fn enter(mut caller: Caller<'c, Host>) -> Result<Self, Error> {
        let memory = caller.get_export("memory").and_then(Extern::into_memory);
        let memory = memory.ok_or_else(|| Error::new("the module exports no memory"))?;
        caller.data_mut().counts.calls += 1;
        Ok(Self { caller, memory })
    }

    pub(super) fn host(&mut self) -> &mut Host {
        self.caller.data_mut()
    }

    fn counts(&mut self) -> &mut Counts {
        &mut self.host().counts
    }

    /// The bytes that the module passes.
    pub(super) fn read(&mut self, address: u32, size: u32) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; size as usize];
        self.memory
            .read(&self.caller, address as usize, &mut bytes)?;
        self.counts().bytes_out += u64::from(size);
        Ok(bytes)
    }

    /// Writes to the address that the module gave.
    pub(super) fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Error> {
        self.memory
            .write(&mut self.caller, address as usize, bytes)?;
        self.counts().bytes_in += bytes.len() as u64;
        Ok(())
    }

    /// Writes a 32-bit number.
    pub(super) fn write_u32(&mut self, address: u32, number: u32) -> Result<(), Error> {
        self.write(address, &number.to_le_bytes())
    }

    /// Writes bytes into memory that the module allocates, and returns their address.
    pub(super) fn hand_over(
        &mut self,
        bytes: &[u8],
        return_address: u32,
        return_size: u32,
    ) -> Result<(), Error> {
        let size = u32::try_from(bytes.len()).map_err(|_| Error::new("too long for the module"))?;
        let mut address = 0;
        if size > 0 {
            let allocate = self.caller.get_export("malloc").and_then(Extern::into_func);
            let allocate = allocate.ok_or_else(|| Error::new("the module exports no malloc"))?;
            address = allocate
                .typed::<u32, u32>(&self.caller)?
                .call(&mut self.caller, size)?;
            self.write(address, bytes)?;
        }
        self.write_u32(return_address, address)?;
        self.write_u32(return_size, size)
    }
}
