//! Refusals of budgets and prices.

use super::Problem;
use crate::fault::Fault;

impl Problem {
    /// 422: there cannot be such a budget.
    pub(in crate::api) fn invalid_budget(faults: Vec<Fault>) -> Self {
        let kind = "urn:bedrock-filter:problem:invalid-budget";
        Self::invalid((kind, "Invalid budget"), "budget", faults)
    }

    /// 422: nothing can cost that.
    pub(in crate::api) fn invalid_price(faults: Vec<Fault>) -> Self {
        let kind = "urn:bedrock-filter:problem:invalid-price";
        Self::invalid((kind, "Invalid price"), "price", faults)
    }

    /// What is wrong in words, with every fault.
    pub(crate) fn words(&self) -> String {
        let faults = self.errors.iter().map(|own| {
            let place = own.pointer.trim_start_matches('/');
            let message = &own.message;
            match place {
                "" => message.clone(),
                place => format!("{place}: {message}"),
            }
        });
        let faults: Vec<_> = faults.collect();
        if faults.is_empty() {
            return self.detail.clone();
        }
        faults.join("; ")
    }
}
