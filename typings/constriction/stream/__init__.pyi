from . import model as model
from . import stack as stack
