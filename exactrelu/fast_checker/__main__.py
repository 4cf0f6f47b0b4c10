"""`python -m exactrelu.fast_checker PATH...`"""

import sys

from exactrelu.fast_checker import main

sys.exit(main())
