//! `secrets-core` for Python: the module `secrets_core._core`. `python/secrets_core/_core.pyi` documents it and tells
//! its types; what is judged, and how, is core's.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString};
use pythonize::{depythonize, pythonize};
use secrets_core::Redaction;
use secrets_core::redact::{self, Masked};
use secrets_facade::{Question, Rules, invalid_shape};

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(validate_name, module)?)?;
    module.add_function(wrap_pyfunction!(review_dotenv, module)?)?;
    module.add_function(wrap_pyfunction!(explain, module)?)?;
    module.add_class::<Redactor>()?;
    module.add_class::<RedactorStream>()
}

#[pyfunction]
#[pyo3(signature = (name, *, name_policy=None, target_kind=None))]
fn validate_name<'py>(
    py: Python<'py>,
    name: &str,
    name_policy: Option<&str>,
    target_kind: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let verdict = secrets_facade::validate_name(name, name_policy, target_kind).map_err(invalid)?;
    Ok(pythonize(py, &verdict)?)
}

#[pyfunction]
#[pyo3(signature = (document, **rules))]
fn review_dotenv<'py>(
    py: Python<'py>,
    document: PyBackedBytes,
    rules: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let rules = rules
        .map_or_else(|| Ok(Rules::default()), |rules| depythonize(rules).map_err(invalid_shape))
        .map_err(invalid)?;
    Ok(pythonize(py, &secrets_facade::review_dotenv(&document, &rules).map_err(invalid)?)?)
}

#[pyfunction]
fn explain<'py>(py: Python<'py>, question: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let question: Question = depythonize(question).map_err(invalid_shape).map_err(invalid)?;
    Ok(pythonize(py, &secrets_facade::explain(&question).map_err(invalid)?)?)
}

#[pyclass(frozen, module = "secrets_core")]
struct Redactor(redact::Redactor);

#[pymethods]
impl Redactor {
    #[new]
    #[pyo3(signature = (secrets, *, redaction_off=Vec::new()))]
    fn new(secrets: &Bound<'_, PyMapping>, redaction_off: Vec<PyBackedStr>) -> PyResult<Self> {
        let secrets: Vec<(PyBackedStr, Value)> =
            secrets.items()?.iter().map(|item| item.extract()).collect::<PyResult<_>>()?;
        let masked = secrets.iter().map(|(name, value)| Masked {
            name,
            value: value.bytes(),
            redaction: if redaction_off.iter().any(|off| **off == **name) {
                Redaction::Off
            } else {
                Redaction::Default
            },
        });
        redact::Redactor::new(masked).map(Self).map_err(invalid)
    }

    #[getter]
    fn unmasked<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &secrets_facade::unmasked(&self.0))?)
    }

    #[getter]
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[getter]
    fn replacement(&self) -> &'static str {
        self.0.replacement()
    }

    fn redact<'py>(&self, py: Python<'py>, whole: PyBackedBytes) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.redact(&whole))
    }

    fn stream(&self) -> RedactorStream {
        RedactorStream(self.0.stream())
    }
}

#[pyclass(module = "secrets_core")]
struct RedactorStream(redact::RedactorStream);

#[pymethods]
impl RedactorStream {
    fn push<'py>(&mut self, py: Python<'py>, input: PyBackedBytes) -> Bound<'py, PyBytes> {
        let mut output = Vec::new();
        self.0.push(&input, &mut output);
        PyBytes::new(py, &output)
    }

    fn pause<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut output = Vec::new();
        self.0.pause(&mut output);
        PyBytes::new(py, &output)
    }

    fn finish<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut output = Vec::new();
        self.0.finish(&mut output);
        PyBytes::new(py, &output)
    }

    #[getter]
    fn held_back(&self) -> usize {
        self.0.held_back()
    }
}

/// A value: text or bytes.
enum Value {
    Text(PyBackedStr),
    Bytes(PyBackedBytes),
}

impl Value {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl FromPyObject<'_, '_> for Value {
    type Error = PyErr;

    // Not derived: that tells of a value that does not fit what it is, which is for nobody's log.
    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyString>() {
            return Ok(Self::Text(value.extract()?));
        }
        value.extract().map(Self::Bytes).map_err(|_| PyValueError::new_err("a value is neither str nor bytes"))
    }
}

fn invalid(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}
