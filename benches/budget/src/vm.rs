//! The module in an interpreter, started and called as Envoy does.

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use wasmi::{
    CompilationMode, Config, CustomFuelCosts, Engine, Instance, Linker, Memory, Module,
    OperatorCost, Store, WasmParams, WasmResults,
};

use crate::host::{self, Host};

/// Bytes in a page of linear memory.
pub const PAGE: u64 = 64 * 1024;

/// The number of the listener's root context.
const ROOT: u32 = 1;

/// That of the clusters, whose filter has its own plugin configuration.
const UPSTREAM_ROOT: u32 = 2;

/// The plugin configuration of the filter on clusters.
const UPSTREAM: &[u8] = br#"{"stage":"upstream"}"#;

/// What an interpreter charges fuel for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// One unit for each operator.
    Instructions,
    /// The same, plus one for each byte that an operator moves or that memory grows by.
    InstructionsAndBytes,
}

/// A compiled module, which can be started any number of times.
#[derive(Debug)]
pub struct Interpreter {
    module: Module,
    linker: Linker<Host>,
}

impl Interpreter {
    /// Compiles a module.
    ///
    /// # Errors
    ///
    /// When it is not a module.
    pub fn new(wasm: &[u8], charge: Charge) -> Result<Self> {
        let costs = CustomFuelCosts {
            bytes_copied_per_fuel: match charge {
                // No move is as long as this, so moves are free.
                Charge::Instructions => u32::MAX,
                Charge::InstructionsAndBytes => 1,
            },
            fuel_per_bytes_translated: 0,
            fuel_per_bytes_validated: 0,
        };
        // Operators that only name a value take no time after compilation.
        let operators = OperatorCost {
            local_get: 0,
            local_set: 0,
            local_tee: 0,
            i32_const: 0,
            i64_const: 0,
            f32_const: 0,
            f64_const: 0,
            v128_const: 0,
            ..OperatorCost::default()
        };
        let mut config = Config::default();
        config
            .consume_fuel(true)
            .operator_cost(operators)
            .fuel_cost(costs)
            .compilation_mode(CompilationMode::Eager);
        let engine = Engine::new(&config);
        let mut linker = Linker::new(&engine);
        let module = Module::new(&engine, wasm).context("the interpreter refuses the module")?;
        host::link(&mut linker, &module)?;
        Ok(Self { module, linker })
    }

    /// Starts a VM as Envoy does, up to the plugin configuration.
    ///
    /// # Errors
    ///
    /// When the module needs a function that the simulated Envoy lacks, or does not
    /// start.
    pub fn start(&self) -> Result<Vm> {
        let mut store = Store::new(self.linker.engine(), Host::default());
        store.set_fuel(u64::MAX)?;
        let instance = self
            .linker
            .instantiate_and_start(&mut store, &self.module)
            .context("the module does not start")?;
        let memory = instance
            .get_memory(&store, "memory")
            .context("the module exports no memory")?;
        let mut vm = Vm {
            store,
            instance,
            memory,
            next: UPSTREAM_ROOT + 1,
            has_upstream: false,
        };
        vm.raw::<_, ()>("_initialize", ())?;
        vm.raw::<_, ()>("proxy_on_context_create", (ROOT, 0_u32))?;
        let started: u32 = vm.raw("proxy_on_vm_start", (ROOT, 0_u32))?;
        ensure!(started != 0, "the module does not start");
        Ok(vm)
    }
}

/// A running module.
#[derive(Debug)]
pub struct Vm {
    store: Store<Host>,
    instance: Instance,
    memory: Memory,
    next: u32,
    /// Whether the clusters' root context exists.
    has_upstream: bool,
}

impl Vm {
    /// Gives the module a plugin configuration.
    ///
    /// # Errors
    ///
    /// When it is refused; the error has what the module logged.
    pub fn configure(&mut self, configuration: &[u8]) -> Result<()> {
        self.configure_root(ROOT, configuration)
    }

    /// The root context of a stage on clusters, which Envoy creates with the first of
    /// them.
    fn upstream_root(&mut self) -> Result<u32> {
        if !self.has_upstream {
            self.raw::<_, ()>("proxy_on_context_create", (UPSTREAM_ROOT, 0_u32))?;
            self.configure_root(UPSTREAM_ROOT, UPSTREAM)?;
            self.has_upstream = true;
        }
        Ok(UPSTREAM_ROOT)
    }

    fn configure_root(&mut self, root: u32, configuration: &[u8]) -> Result<()> {
        let size = u32::try_from(configuration.len())?;
        self.host().active = root;
        self.host().configuration = configuration.to_vec();
        let taken: u32 = self.raw("proxy_on_configure", (root, size))?;
        if taken == 0 {
            bail!(
                "the plugin configuration was refused: {:?}",
                self.host().log
            );
        }
        Ok(())
    }

    /// Opens a context for one stage of a stream: on the listener for a new stream, on a
    /// cluster for the given one.
    ///
    /// # Errors
    ///
    /// When the module traps.
    pub fn open(&mut self, stream: Option<u32>) -> Result<u32> {
        let root = match stream {
            Some(_) => self.upstream_root()?,
            None => ROOT,
        };
        let context = self.next;
        self.next += 1;
        let http = host::Http {
            stream: stream.unwrap_or(context),
            ..host::Http::default()
        };
        self.host().open(context, http);
        self.raw::<_, ()>("proxy_on_context_create", (context, root))?;
        Ok(context)
    }

    /// Ends a context.
    ///
    /// # Errors
    ///
    /// When the module traps.
    pub fn close(&mut self, context: u32) -> Result<()> {
        let _: u32 = self.call("proxy_on_done", context, (context,))?;
        self.call::<_, ()>("proxy_on_log", context, (context,))?;
        self.call::<_, ()>("proxy_on_delete", context, (context,))?;
        self.host().close(context);
        Ok(())
    }

    /// Calls one of the module's functions for a context.
    ///
    /// # Errors
    ///
    /// When there is no such function, or it traps.
    pub fn call<P, R>(&mut self, name: &str, context: u32, parameters: P) -> Result<R>
    where
        P: WasmParams,
        R: WasmResults,
    {
        self.host().active = context;
        self.raw(name, parameters)
    }

    fn raw<P, R>(&mut self, name: &str, parameters: P) -> Result<R>
    where
        P: WasmParams,
        R: WasmResults,
    {
        let function = self
            .instance
            .get_typed_func::<P, R>(&self.store, name)
            .with_context(|| format!("the module has no {name} as Envoy calls it"))?;
        function.call(&mut self.store, parameters).map_err(|trap| {
            let log = &self.store.data().log;
            anyhow!("{name} trapped: {trap}; the module logged {log:?}")
        })
    }

    /// The simulated Envoy's state.
    pub fn host(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// What Envoy holds for a context.
    ///
    /// # Errors
    ///
    /// When it is not open.
    pub fn http(&mut self, context: u32) -> Result<&mut host::Http> {
        let http = self.host().http(context);
        http.with_context(|| format!("context {context} is not open"))
    }

    /// Fuel used since the start.
    ///
    /// # Errors
    ///
    /// Never: the interpreter was created with fuel.
    pub fn fuel(&self) -> Result<u64> {
        Ok(u64::MAX - self.store.get_fuel()?)
    }

    /// Size of linear memory, in bytes. It never shrinks.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.memory.size(&self.store) * PAGE
    }
}
