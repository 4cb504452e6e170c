# The hub of stack.yml, on the image of a learner's server: what that lacks of `labkit[hub]`.
FROM labkit/learner
# empty: pip asks an index for what is not in the folder
ARG PIP_NO_INDEX=
USER 0
COPY . /built
RUN cd /built \
    && python $(ls pip-*.whl)/pip install --quiet --no-cache-dir --find-links . \
        --constraint constraints.txt "$(ls labkit/*.whl)[hub]" \
    && mv jupyterhub_config.py hub.py /opt/lab/ && rm -rf /built
# the hub's proxy; or have one in the folder that the hub runs in
RUN [ -n "$PIP_NO_INDEX" ] || npm install --no-audit --no-fund --prefix /opt/lab configurable-http-proxy@5
ENV LABKIT_ENGINE=
WORKDIR /srv/class
CMD ["python", "/opt/lab/hub.py", "run"]
