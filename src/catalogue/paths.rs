//! stub
use super::*;
use crate::names::Name;
/// A vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VendorId(pub u16);
/// The catalogue.
#[derive(Default)]
pub struct Catalogue {
    vendors: Vec<Vendor>,
    clients: Vec<HttpClient>,
}
/// x
pub struct RequestMatch<'c> {
    /// x
    pub client: usize,
    /// x
    pub request: &'c Request,
    /// x
    pub is_instance: bool,
}
/// x
pub struct SdkMatch {
    /// x
    pub vendor: VendorId,
    /// x
    pub operation: Option<usize>,
    /// x
    pub sends_nothing: bool,
    /// x
    pub client_calls: usize,
    /// x
    pub name: String,
}
impl Catalogue {
    /// x
    pub fn vendor(&self, id: VendorId) -> &Vendor {
        &self.vendors[id.0 as usize]
    }
    /// x
    pub fn http_clients(&self) -> &[HttpClient] {
        &self.clients
    }
    /// x
    pub fn reads_env(&self, _package: Name, _segs: &[Seg]) -> bool {
        false
    }
    /// x
    pub fn known(&self, _package: Name, _segs: &[Seg]) -> Option<&Known> {
        None
    }
    /// x
    pub fn verifier(&self, _package: Name, _segs: &[Seg]) -> Option<VerifierMatch> {
        None
    }
    /// x
    pub fn env(&self, _name: &str) -> Option<(VendorId, bool)> {
        None
    }
    /// x
    pub fn vendor_of_host(&self, _host: &str) -> Option<VendorId> {
        None
    }
    /// x
    pub fn request(&self, _package: Name, _segs: &[Seg]) -> Option<RequestMatch<'_>> {
        None
    }
    /// x
    pub fn http_operation(&self, _v: VendorId, _m: Option<&str>, _h: &str, _p: &str) -> Option<usize> {
        None
    }
    /// x
    pub fn sdk_call(&self, _package: Name, _segs: &[Seg]) -> Option<SdkMatch> {
        None
    }
    /// x
    pub fn makes_client(&self, _package: Name, _segs: &[Seg], _is_new: bool) -> Option<VendorId> {
        None
    }
}
/// x
pub struct VerifierMatch {
    /// x
    pub vendor: VendorId,
    /// x
    pub is_async: bool,
    /// x
    pub boolean: bool,
}
impl Catalogue {
    /// x
    pub fn load(_f: Vec<(String, String)>) -> Result<Self, Vec<miette::Report>> {
        Ok(Self::default())
    }
    /// x
    pub fn tokens(&self, _: &str) -> Vec<crate::facts::Token> {
        vec![]
    }
}
